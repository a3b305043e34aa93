"""A chemistry in a tube: concentrations, hours, strands, and their errors."""
