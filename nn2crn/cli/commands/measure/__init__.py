"""Commands that run a chemistry, measure it, or prove something of it."""
