"""The network language: read, and written."""
