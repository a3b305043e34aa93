"""The internal engine: SUNDIALS CVODE on the mass-action ODEs, layer by layer."""
