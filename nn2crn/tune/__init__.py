"""Parameters and compressions, searched for."""
