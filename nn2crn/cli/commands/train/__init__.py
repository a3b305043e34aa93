"""Commands that train a network, or make it smaller."""
