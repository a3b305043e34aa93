"""COMBINE archives, and the SED-ML in them."""
