"""What becomes of a chemistry in a tube: concentrations, hours, strands, and errors of them."""
