"""ReactionNetwork -> ReactionNetwork: after lowering."""
