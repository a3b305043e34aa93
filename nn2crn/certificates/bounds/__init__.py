"""Bounds that pass along the cascade: of steady states, errors, peaks and settling times."""
