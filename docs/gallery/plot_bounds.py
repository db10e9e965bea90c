"""
A path within bounds
====================

The minimum of the Rosenbrock function lies outside this box. The path ends at the bound, where the slope into
the box is positive.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit


def rosenbrock(x):
    return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2


bounds = [(-1.5, 0.5), (-0.5, 1.5)]
options = {"return_all": True}
result = newtonkit.minimize(rosenbrock, [-1.2, 1.0], bounds=bounds, options=options)
a, b = np.meshgrid(np.linspace(-1.8, 1.4, 200), np.linspace(-0.8, 1.8, 200))
fig, ax = plt.subplots()
ax.contour(a, b, rosenbrock([a, b]), levels=np.logspace(-1, 3, 12), colors="0.8")
ax.add_patch(plt.Rectangle((-1.5, -0.5), 2.0, 2.0, fill=False, edgecolor="C1", linewidth=2))
ax.plot(*np.array(result.allvecs).T, "o-", markersize=3)
ax.set(xlabel="$x_1$", ylabel="$x_2$", title=str(result.verdict).split(":")[0])
plt.show()
