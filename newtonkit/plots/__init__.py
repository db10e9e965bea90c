"""Figures of newtonkit objects; matplotlib is imported when a figure is drawn."""
