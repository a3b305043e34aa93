"""What several formats share: ids, rails, rate constants, units, usage notes."""
