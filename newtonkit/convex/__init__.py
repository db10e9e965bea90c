"""Convexity and strong convexity, proved from the recorded graph of a function."""
