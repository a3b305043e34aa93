"""Passes that prepare a network for the rate-independent encoding."""
