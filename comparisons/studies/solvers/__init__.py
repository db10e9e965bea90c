"""Solvers: a scored benchmark, and the time of iterations, derivatives and whole runs."""
