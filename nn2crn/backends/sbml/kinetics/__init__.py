"""The rate laws of an SBML file in each of its forms: elementary, lumped, summed, driven."""
