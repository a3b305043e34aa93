"""What must hold of a network and of its reactions, verified after every pass."""
