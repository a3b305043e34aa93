"""What prepares a network for the rate-independent encoding."""
