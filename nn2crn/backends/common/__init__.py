"""Shared by several formats: ids, rails, rate constants, units, usage notes."""
