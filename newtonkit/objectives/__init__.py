"""Definitions of what is minimized."""
