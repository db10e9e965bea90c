"""
A cluster of seven atoms
========================

The Lennard-Jones energy does not change when the cluster is moved or turned: six eigenvalues of the Hessian
are zero. The verdict is a flat minimum of dimension 6.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

import newtonkit

first, second = np.triu_indices(7, 1)


def energy(x):
    atoms = np.reshape(x, (7, 3))
    squares = np.sum((atoms[first] - atoms[second]) ** 2, axis=1)
    return 4.0 * np.sum(squares**-6 - squares**-3)


rng = np.random.default_rng(0)
results = [newtonkit.minimize(energy, 1.2 * rng.standard_normal(21), tol=1e-8) for _ in range(8)]
best = min((r for r in results if r.success), key=lambda r: r.fun)
print(best.verdict)
atoms = best.x.reshape(7, 3)
fig, ax = plt.subplots(subplot_kw={"projection": "3d"})
for i, j in zip(first, second, strict=True):
    if np.linalg.norm(atoms[i] - atoms[j]) < 1.3:
        ax.plot(*atoms[[i, j]].T, color="0.6")
ax.scatter(*atoms.T, s=300, depthshade=False)
ax.set(title=f"E = {best.fun:.6f}, flat dimension {best.verdict.flat_dimension}")
ax.set_axis_off()
plt.show()
