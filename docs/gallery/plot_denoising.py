"""
Removing noise from an image
============================

Smoothed total variation of an image of 40 × 40 pixels: a convex function with a sparse Hessian.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit

m = 40
rng = np.random.default_rng(0)
a, b = np.meshgrid(np.arange(m), np.arange(m))
clean = ((a - 20.0) ** 2 + (b - 18.0) ** 2 < 120.0) + 0.5 * (a > 28)
noisy = clean + 0.2 * rng.standard_normal((m, m))


def energy(x):
    u = np.reshape(x, (m, m))
    right, up = u[:-1, 1:] - u[:-1, :-1], u[1:, :-1] - u[:-1, :-1]
    return 0.5 * np.sum((u - noisy) ** 2) + 0.2 * np.sum(np.sqrt(right**2 + up**2 + 1e-3))


result = newtonkit.minimize(energy, noisy.ravel())
fig, axes = plt.subplots(1, 2, figsize=(8, 4))
for ax, image, title in zip(axes, (noisy, result.x.reshape(m, m)), ("noisy", "minimizer"), strict=True):
    ax.imshow(image, cmap="gray", vmin=-0.3, vmax=1.6)
    ax.set(title=title, xticks=[], yticks=[])
plt.show()
