"""
Linear, superlinear, quadratic
==============================

The error after an iteration against the error before it. Slope 1 is linear convergence, slope 2 is quadratic.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit


def f(x):
    return np.sum(np.cosh(x * np.arange(1.0, 6.0)) - x)


solution = newtonkit.minimize(f, np.ones(5), tol=1e-14).x
fig, ax = plt.subplots()
for method in ("gd-linesearch", "bfgs", "newton"):
    result = newtonkit.minimize(f, np.ones(5), method=method, tol=1e-12, options={"return_all": True})
    errors = np.linalg.norm(np.array(result.allvecs) - solution, axis=1)
    errors = errors[errors > 1e-13]
    ax.loglog(errors[:-1], errors[1:], "o-", markersize=3, label=method)
grid = np.logspace(-7, 0)
ax.loglog(grid, grid**2, "k:", label="slope 2")
ax.set(xlabel="error before", ylabel="error after")
ax.legend()
plt.show()
