"""
Eigenvalues of the Hessian along a run
======================================

At the start one eigenvalue is negative. At the end both are positive: the verdict states the smallest.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit


def f(x):
    return np.sum((x**2 - 1.0) ** 2) + 0.3 * np.sum(x[1:] * x[:-1])


result = newtonkit.minimize(f, np.array([0.1, -0.2, 0.1, 0.3]), method="bfgs", options={"return_all": True})
hessian = newtonkit.hessian(f)
eigenvalues = np.array([np.linalg.eigvalsh(hessian(x)) for x in result.allvecs])
fig, ax = plt.subplots()
ax.plot(eigenvalues, "o-", markersize=3)
ax.axhline(0.0, color="0.6")
ax.set(xlabel="iteration", ylabel="eigenvalues", title=str(result.verdict))
plt.show()
