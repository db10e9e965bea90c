"""Sparse Hessians: patterns, colouring, and counts of what derivatives cost."""
