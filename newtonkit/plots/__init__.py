"""Figures, as functions of arrays and protocols; matplotlib is imported when a figure is drawn."""
