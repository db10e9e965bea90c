"""
Convergence of first-order and second-order methods
===================================================

The horizontal axis counts gradients; a Hessian of two variables counts as two products. The learning rate of
Adam was chosen by hand.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit


def beale(x):
    y, z = x[0], x[1]
    return (1.5 - y + y * z) ** 2 + (2.25 - y + y * z**2) ** 2 + (2.625 - y + y * z**3) ** 2


fig, ax = plt.subplots()
for method, options in (("adam", {"rate": 0.1}), ("gd-linesearch", {}), ("lbfgs", {}), ("newton", {})):
    options = {**options, "history": True, "maxiter": 1000}
    result = newtonkit.minimize(beale, [1.0, 1.0], method=method, tol=1e-10, options=options)
    history = result.history
    cost = np.array(history.njev) + 2 * np.array(history.nhev)
    ax.loglog(np.maximum(cost, 1), np.maximum(history.f, 1e-30), label=method)
ax.set(xlabel="gradients + 2 Hessians", ylabel="f − f*", ylim=(1e-25, 100))
ax.legend()
plt.show()
