"""
Newton's method in a curved valley
==================================

A trust region keeps Newton's steps short where the quadratic model is wrong. Near the minimum the full steps
are taken, and the error is squared at each iteration.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit


def rosenbrock(x):
    return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2


result = newtonkit.minimize(rosenbrock, [-1.2, 1.0], method="newton", options={"return_all": True})
path = np.array(result.allvecs)
a, b = np.meshgrid(np.linspace(-1.6, 1.4, 200), np.linspace(-0.6, 1.6, 200))
fig, ax = plt.subplots()
ax.contour(a, b, rosenbrock([a, b]), levels=np.logspace(-1, 3, 12), colors="0.8")
ax.plot(*path.T, "o-", markersize=3)
ax.set(xlabel="$x_1$", ylabel="$x_2$", title=f"{result.nit} iterations, {result.nhev} Hessians")
plt.show()
