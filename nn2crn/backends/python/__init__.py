"""Programs in Python: ordinary differential equations, and indexed reactions for icrn."""
