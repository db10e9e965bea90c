"""
Leaving a saddle
================

The start lies on a line along which every gradient points to the saddle. Gradient descent ends there.
Newton's method in a trust region sees the negative curvature and leaves.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit


def f(x):
    return x[0] ** 2 - x[1] ** 2 + x[1] ** 4 / 4


a, b = np.meshgrid(np.linspace(-0.6, 1.4, 100), np.linspace(-2, 2, 100))
fig, axes = plt.subplots(1, 2, figsize=(8, 3.5), sharey=True)
for ax, (method, options) in zip(axes, (("gd", {"rate": 0.1}), ("newton", {})), strict=True):
    options = {**options, "return_all": True, "maxiter": 200}
    result = newtonkit.minimize(f, [1.0, 0.0], method=method, options=options)
    ax.contour(a, b, f([a, b]), levels=20, colors="0.85")
    ax.plot(*np.array(result.allvecs).T, "o-", markersize=3)
    ax.set(title=f"{method}: {result.verdict.kind}, success {result.success}", xlabel="$x_1$")
axes[0].set(ylabel="$x_2$")
plt.show()
