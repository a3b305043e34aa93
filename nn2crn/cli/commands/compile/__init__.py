"""Commands that compile a model, show it, or say what it would come to."""
