"""
Momentum on an ill-conditioned quadratic
========================================

Gradient descent at its largest stable rate, with and without momentum.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit


def quadratic(x):
    return 0.5 * (x[0] ** 2 + 50.0 * x[1] ** 2)


a, b = np.meshgrid(np.linspace(-6, 3, 100), np.linspace(-2, 2, 100))
fig, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
for ax, (method, options) in zip(
    axes, (("gd", {"rate": 0.037}), ("momentum", {"rate": 0.02, "decay": 0.7})), strict=True
):
    options = {**options, "return_all": True, "maxiter": 60}
    result = newtonkit.minimize(quadratic, [-5.0, 1.5], method=method, options=options)
    ax.contour(a, b, quadratic([a, b]), levels=15, colors="0.85")
    ax.plot(*np.array(result.allvecs).T, ".-", linewidth=1)
    ax.set(title=f"{method}: f = {result.fun:.1e} after {result.nit} steps", xlabel="$x_1$")
plt.show()
