"""What a method costs by itself: microseconds per iteration beyond the user's functions, beside scipy's."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from scipy.optimize import minimize as scipy_minimize

import newtonkit

Vector = NDArray[np.float64]

_STARTS = 20
_MAXITER = 200

# ours beside its counterpart
_METHODS = ("bfgs", "scipy:BFGS", "lbfgs", "scipy:L-BFGS-B", "newton", "scipy:trust-exact", "adam")


@dataclass(frozen=True, slots=True)
class Overhead:
    """One figure of the benchmark."""

    method: str
    n: int
    microseconds: float
    """Median over the repeats of (wall time − time in user functions) / iterations."""
    lowest: float
    highest: float
    iterations: int


class _Rosenbrock:
    """The chained Rosenbrock function with derivatives by hand, which adds up the time spent in it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def _timed(self, function: Callable[[Vector], Any], x: Vector) -> Any:
        began = time.perf_counter()
        result = function(x)
        self.seconds += time.perf_counter() - began
        return result

    def value(self, x: Vector) -> float:
        """f(x)."""
        return self._timed(_value, x)  # type: ignore[no-any-return]

    def gradient(self, x: Vector) -> Vector:
        """∇f(x)."""
        return self._timed(_gradient, x)  # type: ignore[no-any-return]

    def hessian(self, x: Vector) -> Vector:
        """∇²f(x), dense."""
        return self._timed(_hessian, x)  # type: ignore[no-any-return]


def _value(x: Vector) -> float:
    a, b = x[:-1], x[1:]
    return float(np.sum(100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2))


def _gradient(x: Vector) -> Vector:
    a, b = x[:-1], x[1:]
    r = 200.0 * (b - a * a)
    g = np.zeros_like(x)
    g[:-1] = -2.0 * a * r - 2.0 * (1.0 - a)
    g[1:] += r
    return g


def _hessian(x: Vector) -> Vector:
    a, b = x[:-1], x[1:]
    diagonal = np.zeros_like(x)
    diagonal[:-1] = 1200.0 * a * a - 400.0 * b + 2.0
    diagonal[1:] += 200.0
    H = np.diag(diagonal)
    i = np.arange(x.size - 1)
    H[i, i + 1] = H[i + 1, i] = -400.0 * a
    return H


def measure(sizes: Sequence[int], *, methods: Sequence[str] = _METHODS, repeats: int = 7) -> list[Overhead]:
    """Each method on the chained Rosenbrock function from 20 seeded starts, all in one process, interleaved.

    Ours run with their history, which is the default, and without the verdict, which is made once after the run.

    Parameters
    ----------
    sizes : sequence of int
    methods : sequence of str
    repeats : int, at least 1, default 7
        The methods take turns, so that a slow spell of the machine hits all.
    """
    figures = []
    for n in sizes:
        rng = np.random.default_rng(0)
        starts = [rng.uniform(-1.5, 1.5, n) for _ in range(_STARTS)]
        times: dict[str, list[float]] = {method: [] for method in methods}
        iterations: dict[str, int] = {}
        for _ in range(repeats + 1):
            for method in methods:
                seconds, nit = _once(method, starts)
                times[method].append(seconds)
                iterations[method] = nit
        for method in methods:
            per_step = [1e6 * t / iterations[method] for t in times[method][1:]]  # the first is a warm-up
            median = statistics.median(per_step)
            figures.append(Overhead(method, n, median, min(per_step), max(per_step), iterations[method]))
    return figures


def _once(method: str, starts: Sequence[Vector]) -> tuple[float, int]:
    """Seconds beyond user functions, and iterations, over all starts."""
    seconds, nit = 0.0, 0
    for x0 in starts:
        f = _Rosenbrock()
        second = method in ("newton", "scipy:trust-exact")
        hess = f.hessian if second else None
        began = time.perf_counter()
        options: dict[str, Any] = {"maxiter": _MAXITER}
        if method.startswith("scipy:"):
            name = method.removeprefix("scipy:")
            result = scipy_minimize(f.value, x0, jac=f.gradient, hess=hess, method=name, options=options)
        else:
            options["verdict"] = False
            result = newtonkit.minimize(f.value, x0, jac=f.gradient, hess=hess, method=method, options=options)
        seconds += time.perf_counter() - began - f.seconds
        nit += result.nit
    return seconds, nit


def overhead_table(figures: Sequence[Overhead]) -> Table:
    """The figures, methods down and sizes across."""
    sizes = sorted({figure.n for figure in figures})
    table = Table(
        title="µs per iteration beyond the user's functions: median (lowest – highest)", title_justify="left", box=None
    )
    table.add_column("method")
    for n in sizes:
        table.add_column(f"n = {n}", justify="right")
    for method in dict.fromkeys(figure.method for figure in figures):
        by_size = {figure.n: figure for figure in figures if figure.method == method}
        table.add_row(
            method,
            *(f"{by_size[n].microseconds:.1f} ({by_size[n].lowest:.1f} – {by_size[n].highest:.1f})" for n in sizes),
        )
    return table
