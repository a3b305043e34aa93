"""Text to data and back: the grammars, formulas and reactions."""
