"""Antimony: the writer, and in what a shipped file differs from what is written now."""
