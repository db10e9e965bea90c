"""Runs, traces, endings, costs and labels."""
