"""Rewrites, one per file: a function from a network to a network whose docstring is its law. Nothing is mutated."""
