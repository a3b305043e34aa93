"""Groups of options that commands share, and what they mean."""
