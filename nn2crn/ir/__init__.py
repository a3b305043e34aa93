"""The two intermediate representations: data and invariants only."""
