"""Figures: one style, one file per figure."""
