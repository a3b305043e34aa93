"""Network -> Network: fewer connections and fewer distinct weights."""
