"""
A global minimum with a proved bound
====================================

Branch and bound in interval arithmetic finds the lowest of many minima, and proves that f is nowhere lower in
the box.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit


def f(x):
    return np.sin(3.0 * x[0]) * np.cos(2.0 * x[1]) + 0.1 * (x[0] ** 2 + x[1] ** 2)


found = newtonkit.global_minimum(f, [(-4, 4), (-4, 4)])
print(found)
a, b = np.meshgrid(np.linspace(-4, 4, 200), np.linspace(-4, 4, 200))
fig, ax = plt.subplots()
image = ax.contourf(a, b, f([a, b]), levels=30)
ax.plot(*found.x, "r*", markersize=14)
fig.colorbar(image)
ax.set(title=f"f = {found.fun:.6f}, proved: {found.proved}")
plt.show()
