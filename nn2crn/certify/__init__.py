"""What can be proved of a reaction network: docs/theory.md has the proofs."""
