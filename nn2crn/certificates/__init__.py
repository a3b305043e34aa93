"""Proofs about reaction networks: docs/theory.md has the proofs."""
