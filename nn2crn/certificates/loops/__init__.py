"""Proofs on recurrent networks."""
