"""Equilibrium propagation: learning by local rules, by numpy or by the chemistry itself."""
