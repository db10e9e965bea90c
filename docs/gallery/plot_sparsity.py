"""
Sparse Hessians are found
=========================

The pattern follows from the recorded operations of the gradient. Columns that share no row are computed by
one product.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit


def chain(x):
    return np.sum((x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def grid(x):
    u = np.reshape(x, (8, 8))
    return np.sum((u[1:] - u[:-1]) ** 4) + np.sum((u[:, 1:] - u[:, :-1]) ** 4) + np.sum(u**2)


def arrow(x):
    return np.sum(x[0] * x[1:] ** 2) + x[0] ** 4


fig, axes = plt.subplots(1, 3, figsize=(10, 3.5))
for ax, f in zip(axes, (chain, grid, arrow), strict=True):
    pattern = newtonkit.hessian_pattern(f, np.linspace(0.5, 1.0, 64))
    ax.spy(pattern, markersize=2)
    ax.set(title=f"{f.__name__}: {pattern.nnz} of {64 * 64}")
plt.show()
