"""Families of reactions: many reactions over arrays, in one of three forms."""
