"""
Two exponentials, by variable projection
========================================

The amplitudes enter linearly. They are found and eliminated, so that only the two rates are searched.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit

t = np.linspace(0.0, 5.0, 60)
y = 2.0 * np.exp(-0.4 * t) + 1.0 * np.exp(-3.0 * t) + 0.01 * np.random.default_rng(2).standard_normal(60)
fit = newtonkit.curve_fit(
    lambda t, a, slow, b, fast: a * np.exp(-slow * t) + b * np.exp(-fast * t), t, y, p0=[1.0, 0.1, 1.0, 1.0]
)
print(fit)
fig, ax = plt.subplots()
ax.plot(t, y, "k.", markersize=4)
for name, amplitude, rate in (("slow", "a", "slow"), ("fast", "b", "fast")):
    ax.plot(t, fit.parameters[amplitude] * np.exp(-fit.parameters[rate] * t), label=name)
ax.plot(t, fit.predict(t), label="sum")
ax.legend()
plt.show()
