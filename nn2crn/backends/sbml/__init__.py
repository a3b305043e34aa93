"""SBML: the writer and its parts. The only place that imports libsbml."""
