"""
A minimal surface
=================

The surface of least area over a square with a wavy rim: 3,600 variables, and a sparse Hessian.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit

m = 60
s = np.linspace(0.0, 1.0, m + 2)
rim = np.zeros((m + 2, m + 2))
rim[0], rim[-1], rim[:, 0], rim[:, -1] = np.sin(2 * np.pi * s) ** 2, np.sin(np.pi * s), s * (1 - s), 0.0
inside = np.pad(np.ones((m, m)), 1, mode="constant")


def area(x):
    u = rim * (1.0 - inside) + np.pad(np.reshape(x, (m, m)), 1, mode="constant")
    right = (u[:-1, 1:] - u[:-1, :-1]) * (m + 1)
    up = (u[1:, :-1] - u[:-1, :-1]) * (m + 1)
    return np.sum(np.sqrt(1.0 + right**2 + up**2)) / (m + 1) ** 2


result = newtonkit.minimize(area, np.zeros(m * m))
print(result)
u = rim * (1.0 - inside) + np.pad(result.x.reshape(m, m), 1, mode="constant")
fig, ax = plt.subplots(subplot_kw={"projection": "3d"})
ax.plot_surface(*np.meshgrid(s, s), u, cmap="viridis")
ax.set(title=f"n = {m * m}: {result.nit} iterations of {result.method}")
plt.show()
