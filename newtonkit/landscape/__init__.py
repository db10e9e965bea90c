"""Checks of any solver's result, steepest-descent paths, and the Morse graph."""
