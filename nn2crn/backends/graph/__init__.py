"""Graphs: for Graphviz, for networkx and Gephi, and as a picture."""
