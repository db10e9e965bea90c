"""
The learning rate decides
=========================

Adam on one function with ten rates: the loss after 300 iterations. A second-order method has no such
parameter.
"""

import matplotlib.pyplot as plt
import numpy as np

import newtonkit


def rosenbrock(x):
    return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2


rates = np.logspace(-4, 0.5, 10)
ends = []
for rate in rates:
    options = {"rate": float(rate), "maxiter": 300, "verdict": False}
    ends.append(newtonkit.minimize(rosenbrock, [-1.2, 1.0], method="adam", options=options).fun)
newton = newtonkit.minimize(rosenbrock, [-1.2, 1.0], method="newton")
fig, ax = plt.subplots()
ax.loglog(rates, ends, "o-", label="adam, 300 gradients")
ax.axhline(newton.fun, color="C1", label=f"newton, {newton.njev} gradients and {newton.nhev} Hessians")
ax.set(xlabel="learning rate", ylabel="lowest f")
ax.legend()
plt.show()
