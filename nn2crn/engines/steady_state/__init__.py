"""Steady states without a simulation in time: of one chemistry, of many tubes, and what they depend on."""
