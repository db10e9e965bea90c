"""
Where Newton's method ends
==========================

The zeros of z³ − 1 by Newton's method without safeguards, from every point of a grid: the basins are
fractals.
"""

import matplotlib.pyplot as plt
import numpy as np

x, y = np.meshgrid(np.linspace(-1.5, 1.5, 400), np.linspace(-1.5, 1.5, 400))
z = x + 1j * y
with np.errstate(all="ignore"):
    for _ in range(40):
        z = z - (z**3 - 1.0) / (3.0 * z**2)
roots = np.exp(2j * np.pi * np.arange(3) / 3)
nearest = np.argmin(np.abs(z[..., None] - roots), axis=-1)
fig, ax = plt.subplots()
ax.pcolormesh(x, y, nearest, cmap="viridis", rasterized=True)
ax.plot(roots.real, roots.imag, "r*", markersize=12)
ax.set(aspect="equal", title="Newton's method for z³ = 1")
plt.show()
