"""
A flat minimum
==============

The minima of this function form a circle. The verdict states a valley of dimension 1 instead of a zero
eigenvalue.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit


def hat(x):
    return (np.sum(x**2) - 1.0) ** 2


fig, ax = plt.subplots()
a, b = np.meshgrid(np.linspace(-1.6, 1.6, 200), np.linspace(-1.6, 1.6, 200))
ax.contour(a, b, (a**2 + b**2 - 1.0) ** 2, levels=np.linspace(0, 2, 12), colors="0.85")
for angle in np.linspace(0.0, 2.0 * np.pi, 13)[:-1]:
    start = 1.5 * np.array([np.cos(angle), np.sin(angle)])
    result = newtonkit.minimize(hat, start, options={"return_all": True})
    ax.plot(*np.array(result.allvecs).T, ".-", color="C0", linewidth=1)
print(result.verdict)
ax.set(aspect="equal", title=f"{result.verdict.kind}, dimension {result.verdict.flat_dimension}")
plt.show()
