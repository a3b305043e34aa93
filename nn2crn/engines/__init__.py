"""Engines that find the steady state of a reaction network."""
