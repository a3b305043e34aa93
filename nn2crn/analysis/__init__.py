"""Analyses of networks and reactions without simulation."""
