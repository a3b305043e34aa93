"""Network -> Network: how a network is written down, before it is lowered."""
