"""
A membrane over an obstacle
===========================

The energy of a membrane that must stay above an obstacle: 2,500 variables with lower bounds. White points
touch the obstacle.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit

m = 50
grid = np.linspace(0.0, 1.0, m + 2)
a, b = np.meshgrid(grid[1:-1], grid[1:-1])
obstacle = 0.3 - 4.0 * ((a - 0.5) ** 2 + (b - 0.4) ** 2)


def energy(x):
    u = np.pad(np.reshape(x, (m, m)), 1, mode="constant")
    return 0.5 * np.sum((u[1:] - u[:-1]) ** 2) + 0.5 * np.sum((u[:, 1:] - u[:, :-1]) ** 2)


lower = obstacle.ravel()
bounds = [(low, None) for low in lower]
result = newtonkit.minimize(energy, np.maximum(lower, 0.0), bounds=bounds)
u = result.x.reshape(m, m)
fig, ax = plt.subplots()
image = ax.pcolormesh(a, b, u)
ax.plot(a[u == obstacle], b[u == obstacle], "w.", markersize=3)
fig.colorbar(image)
ax.set(title=f"{result.method}: {result.nit} iterations, {int((u == obstacle).sum())} points in contact")
plt.show()
