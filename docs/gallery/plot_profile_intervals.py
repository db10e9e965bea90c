"""
Linear and profile intervals
============================

The cost along one parameter, all others refitted. Where it is not a parabola, the linear interval is wrong.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit

t = np.array([0.5, 1.0, 2.0, 4.0, 6.0])
y = np.array([0.62, 0.81, 1.02, 0.99, 1.05])


def model(t, limit, rate):
    return limit * (1.0 - np.exp(-rate * t))


fit = newtonkit.curve_fit(model, t, y)
rates = np.linspace(0.5, 4.0, 60)
costs = [2.0 * newtonkit.curve_fit(model, t, y, fixed={"rate": r}).result.cost for r in rates]
fig, ax = plt.subplots()
ax.plot(rates, costs)
for label, color, interval in (
    ("linear", "C1", fit.intervals()["rate"]),
    ("profile", "C2", fit.intervals(method="profile")["rate"]),
):
    ax.axvspan(*interval, alpha=0.2, color=color, label=f"{label}: {interval[0]:.2f} to {interval[1]:.2f}")
ax.set(xlabel="rate", ylabel="sum of squares")
ax.legend()
plt.show()
