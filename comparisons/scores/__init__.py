"""Scores computed from the runs of a comparison."""
