"""Linear algebra kernels, factorizations, interval arithmetic."""
