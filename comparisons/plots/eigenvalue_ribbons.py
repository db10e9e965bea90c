"""The eigenvalues of the Hessian at every iterate of a run, and the number of negative ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newtonkit import Evaluator, History, Objective
from newtonkit.linalg.kernels import EPS

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Whole = NDArray[np.intp]

LARGEST_N = 200


@dataclass(frozen=True, eq=False)
class Ribbons:
    """Eigenvalues of the Hessian along a path."""

    method: str
    iteration: Whole
    """The iterations with a finite Hessian."""
    eigenvalues: Matrix
    """Ascending, one row for each iteration; unchanged by a rejected step."""
    gradient_norm: Vector
    """‖g‖∞."""

    @property
    def index(self) -> Whole:
        """The number of eigenvalues below −n·eps·‖H‖, the rounding of an eigenvalue."""
        return np.asarray((self.eigenvalues < -self.rounding[:, None]).sum(axis=1))

    @property
    def rounding(self) -> Vector:
        """n·eps·‖H‖ at every iteration."""
        return np.asarray(self.eigenvalues.shape[1] * EPS * np.abs(self.eigenvalues).max(axis=1))


def eigenvalue_ribbons(
    fun: Callable[..., Any],
    history: History,
    *,
    hess: Callable[..., Any] | None = None,
    method: str = "",
) -> Ribbons:
    """The eigenvalues of the Hessian at every point of a run.

    Parameters
    ----------
    fun : callable
        f, written with ``autograd.numpy`` unless hess is given.
    history : History
        Of a run with ``options={"history": "points"}``.
    hess : callable, optional
        The Hessian.
    method : str, optional
        Name for the caption.

    Returns
    -------
    Ribbons

    Raises
    ------
    ValueError
        If the history has no points, there are more than 200 variables, or no Hessian is finite.

    Examples
    --------
    >>> import newtonkit
    >>> fun = lambda x: x[0] ** 2 - x[1] ** 2 + x[1] ** 4
    >>> result = newtonkit.minimize(fun, [1.0, 0.1], options={"history": "points"})
    >>> eigenvalue_ribbons(fun, result.history).index[[0, -1]]
    array([1, 0])
    """
    x = history.x
    if x.ndim != 2 or x.shape[1] > LARGEST_N:
        raise ValueError(f"eigenvalues are drawn up to n = {LARGEST_N}; history has points of shape {x.shape[1:]}")
    moved = np.append(True, (np.diff(x, axis=0) != 0.0).any(axis=1))
    evaluator = Evaluator(Objective(fun, hess=hess), second_order=True)
    spectra = np.full((int(moved.sum()), x.shape[1]), np.nan)
    for k, point in enumerate(x[moved]):
        with np.errstate(all="ignore"):
            H = evaluator.hessian(point)
        if np.isfinite(H).all():
            spectra[k] = np.linalg.eigvalsh(H)
    eigenvalues = spectra[np.cumsum(moved) - 1]
    finite = ~np.isnan(eigenvalues[:, 0])
    if not finite.any():
        raise ValueError("no Hessian along the run is finite")
    return Ribbons(method, history.nit[finite], eigenvalues[finite], history.gradient_norm[finite])
