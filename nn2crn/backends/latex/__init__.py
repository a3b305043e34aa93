"""LaTeX: families of reactions as a paper prints them, or the full list."""
