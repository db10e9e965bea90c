"""
Paths of five methods
=====================

Steepest descent crosses the valley again and again. Quasi-Newton methods learn the curvature from gradients.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit


def rosenbrock(x):
    return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2


a, b = np.meshgrid(np.linspace(-1.6, 1.6, 200), np.linspace(-1.0, 1.8, 200))
fig, axes = plt.subplots(1, 5, figsize=(14, 3), sharey=True)
for ax, method in zip(axes, ("gd-linesearch", "cg", "bfgs", "newton-cg", "newton"), strict=True):
    options = {"return_all": True, "maxiter": 300}
    result = newtonkit.minimize(rosenbrock, [-1.2, 1.0], method=method, options=options)
    ax.contour(a, b, rosenbrock([a, b]), levels=np.logspace(-1, 3, 12), colors="0.85")
    ax.plot(*np.array(result.allvecs).T, ".-", linewidth=1)
    ax.set(xlabel="$x_1$", title=f"{method}\n{result.nit} iterations, {result.njev} gradients")
axes[0].set(ylabel="$x_2$")
fig.tight_layout()
plt.show()
