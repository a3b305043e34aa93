"""Network -> ReactionNetwork: the encodings, and how each writes a network as reactions."""
