"""Engines of others, which read the written SBML file."""
