"""
A fit with outliers
===================

A third of the data are wrong. The squares follow them; the Cauchy loss does not.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit

rng = np.random.default_rng(1)
t = np.linspace(0.0, 10.0, 60)
y = 2.0 * np.exp(-0.3 * t) + 0.05 * rng.standard_normal(60)
y[rng.choice(60, size=18, replace=False)] += rng.uniform(1.0, 3.0, size=18)


def model(t, height, decay):
    return height * np.exp(-decay * t)


plain = newtonkit.curve_fit(model, t, y)
robust = newtonkit.curve_fit(model, t, y, loss="cauchy", f_scale=0.1)
fig, ax = plt.subplots()
ax.plot(t, y, "k.", label="data")
ax.plot(t, model(t, *plain.popt), label="squares")
ax.plot(t, model(t, *robust.popt), label="Cauchy loss")
ax.plot(t[robust.outliers], y[robust.outliers], "o", fillstyle="none", color="C3", label="listed as outliers")
ax.legend()
plt.show()
