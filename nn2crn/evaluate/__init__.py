"""Measurements of a compiled network: accuracy, settling, sizes, what clients accept."""
