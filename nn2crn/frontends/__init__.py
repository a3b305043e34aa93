"""Model file -> Network."""
