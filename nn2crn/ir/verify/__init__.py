"""Invariants of networks and of reactions, verified after every pass."""
