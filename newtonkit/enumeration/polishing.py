"""A local search in a box, for upper bounds of a global minimum."""

from __future__ import annotations

import numpy as np

from newtonkit.core.domain import Box
from newtonkit.enumeration.enclosures import Jets
from newtonkit.linalg.kernels import EPS, Vector, eigh, max_norm

MAX_STEPS = 40
MAX_HALVINGS = 30
MIN_CURVATURE = 1e-8  # of the largest |eigenvalue|: smaller ones are replaced by it


def polished(jets: Jets, t: Vector, lo: Vector, hi: Vector) -> Vector:
    """A point that is not higher than t: projected Newton steps with |eigenvalues|, halved until f falls.

    References
    ----------
    Bertsekas (1982), SIAM J. Control Optim. 20, 221-246 (projected Newton methods); Nocedal & Wright (2006), p. 49.
    """
    box = Box(lo, hi)
    values = jets.at(t[None])
    f = float(values.f[0])
    for _ in range(MAX_STEPS):
        g, H = values.g[0], values.H[0]
        free = box.free(t, g)
        if not (np.isfinite(g).all() and np.isfinite(H).all() and free.any() and g[free].any()):
            break
        eigenvalues, Q = eigh(H[np.ix_(free, free)])
        size = np.abs(eigenvalues)
        # without any curvature the step is the whole gradient
        size = np.maximum(size, MIN_CURVATURE * max_norm(size) or 1.0)
        step = np.zeros(t.size)
        step[free] = -(Q @ ((Q.T @ g[free]) / size))
        for k in range(MAX_HALVINGS):
            trial = box.project(t + 0.5**k * step)
            after = jets.at(trial[None])
            if float(after.f[0]) < f:
                break
        else:
            break
        moved = np.abs(trial - t).max()
        t, values, f = trial, after, float(after.f[0])
        if moved <= 4 * EPS:
            break
    return t
