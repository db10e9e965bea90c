"""Gradient transforms: pure functions that `chain` composes into first-order methods."""
