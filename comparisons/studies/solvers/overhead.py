"""Overhead of methods: microseconds per iteration without user functions, ours and scipy's.

The time of the linear algebra that no implementation can avoid is listed separately for the same n; the difference is
the method's own work.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotrs
from scipy.optimize import minimize as scipy_minimize

import newtonkit
from comparisons.report.document import Document, Table
from comparisons.running import scipy_solvers as reference
from newtonkit.linalg import kernels as linalg
from newtonkit.methods.registry import METHODS

Vector = NDArray[np.float64]

# our method and its counterpart
PAIRS = (
    ("bfgs", "scipy:BFGS"),
    ("lbfgs", "scipy:L-BFGS-B"),
    ("cg", "scipy:L-BFGS-B"),
    ("newton", "scipy:trust-exact"),
    ("newton-cg", "scipy:Newton-CG"),
    ("newton-cg", "scipy:trust-krylov"),
)
_DENSE = 1000  # the largest n at which methods with n×n matrices are run
_WITHOUT_MATRICES = ("lbfgs", "cg", "newton-cg", "scipy:L-BFGS-B", "scipy:Newton-CG", "scipy:trust-krylov")
_PAIRS_KEPT = 10  # the memory of both L-BFGS


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
    evaluations: float
    """Calls of user functions per iteration."""


class _Rosenbrock:
    """The chained Rosenbrock function with derivatives by hand; it measures the time spent in it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0

    def _timed(self, function: Callable[..., Any], *arguments: Vector) -> Any:
        began = time.perf_counter()
        result = function(*arguments)
        self.seconds += time.perf_counter() - began
        self.calls += 1
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

    def product(self, x: Vector, v: Vector) -> Vector:
        """∇²f(x)·v."""
        return self._timed(_product, x, v)  # type: ignore[no-any-return]


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


def _product(x: Vector, v: Vector) -> Vector:
    a, b = x[:-1], x[1:]
    w = np.zeros_like(x)
    w[:-1] = (1200.0 * a * a - 400.0 * b + 2.0) * v[:-1] - 400.0 * a * v[1:]
    w[1:] += 200.0 * v[1:] - 400.0 * a * v[:-1]
    return w


def measure(sizes: Sequence[int], *, methods: Sequence[str] | None = None, repeats: int = 7) -> list[Overhead]:
    """Each method on the chained Rosenbrock function from seeded starts, all in one process, interleaved.

    Ours run with their history, which is the default, and without the verdict, which is made once after the run.

    Parameters
    ----------
    sizes : sequence of int
        Above 1000, methods that store n×n matrices are left out.
    methods : sequence of str, optional
        Default: all in `PAIRS`.
    repeats : int, at least 1, default 7
        The methods alternate, so that interference from other processes affects all of them.
    """
    if methods is None:
        methods = [m for m in dict.fromkeys(m for pair in PAIRS for m in pair) if ":" in m or m in METHODS]
    figures = []
    for n in sizes:
        here = [method for method in methods if n <= _DENSE or method in _WITHOUT_MATRICES]
        # where one iteration takes milliseconds, few of them are enough
        count, maxiter, rounds = (20, 200, repeats) if n <= 100 else (1, 20, min(3, repeats))
        rng = np.random.default_rng(0)
        starts = [rng.uniform(-1.5, 1.5, n) for _ in range(count)]
        times: dict[str, list[float]] = {method: [] for method in here}
        work: dict[str, tuple[int, int]] = {}
        for _ in range(rounds + 1):
            for method in here:
                seconds, nit, calls = _once(method, starts, maxiter)
                times[method].append(seconds)
                work[method] = nit, calls
        for method in here:
            nit, calls = work[method]
            per_step = [1e6 * t / nit for t in times[method][1:]]  # the first is a warm-up
            median = statistics.median(per_step)
            figures.append(Overhead(method, n, median, min(per_step), max(per_step), nit, calls / nit))
    return figures


def _once(method: str, starts: Sequence[Vector], maxiter: int) -> tuple[float, int, int]:
    """Seconds beyond user functions, iterations, and calls of user functions, over all starts."""
    seconds, nit, calls = 0.0, 0, 0
    for x0 in starts:
        f = _Rosenbrock()
        derivatives = {name: getattr(f, function) for name, function in _derivatives_of(method)}
        options: dict[str, Any] = {"maxiter": maxiter}
        began = time.perf_counter()
        if method.startswith("scipy:"):
            name = method.removeprefix("scipy:")
            result = scipy_minimize(f.value, x0, method=name, options=options, **derivatives)
        else:
            options["verdict"] = False
            result = newtonkit.minimize(f.value, x0, method=method, options=options, **derivatives)
        seconds += time.perf_counter() - began - f.seconds
        nit += result.nit
        calls += f.calls
    return seconds, nit, calls


def _derivatives_of(method: str) -> list[tuple[str, str]]:
    """The derivatives that a method takes, by scipy's name and ours."""
    if method.startswith("scipy:"):
        names = reference.SOLVERS[method.removeprefix("scipy:")]
    else:
        needs: frozenset[str] = getattr(METHODS[method], "needs", frozenset())
        names = ("jac", *(["hess"] if "hess" in needs else []), *(["hessp"] if "hvp" in needs else []))
    return [(name, {"jac": "gradient", "hess": "hessian", "hessp": "product"}[name]) for name in names]


def kernels(n: int) -> dict[str, float]:
    """Microseconds of the linear algebra of one iteration at this n; matrices up to n = 1000."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(n), rng.standard_normal(n)
    found: dict[str, float] = {}
    if n <= _DENSE:
        M = rng.standard_normal((n, n))
        A = np.asfortranarray(M @ M.T + n * np.eye(n))
        found["eigenvalues and -vectors"] = _median(lambda: linalg.eigh(A))
        found["Cholesky and one solve"] = _median(lambda: dpotrs(dpotrf(A)[0], x))
        found["matrix times vector"] = _median(lambda: linalg.symmetric_times(A, x))
        B = A.copy(order="F")
        found["rank-two update"] = _median(lambda: linalg.rank_two_update(B, x, 1e-9 * y))
    pairs = [(rng.standard_normal(n), rng.standard_normal(n)) for _ in range(_PAIRS_KEPT)]
    found[f"the two loops over {_PAIRS_KEPT} pairs"] = _median(lambda: _two_loops(pairs, x))
    return found


def _two_loops(pairs: Sequence[tuple[Vector, Vector]], g: Vector) -> Vector:
    """The arithmetic of Nocedal & Wright's algorithm 7.4."""
    q = g.copy()
    for s, y in reversed(pairs):
        q = linalg.add_scaled(q, -1e-9 * linalg.dot(s, q), y)
    for s, y in pairs:
        q = linalg.add_scaled(q, 1e-9 * linalg.dot(y, q), s)
    return q


def _median(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    once = time.perf_counter() - began
    repetitions = max(1, min(1000, int(0.01 / max(once, 1e-7))))
    samples = []
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(repetitions):
            call()
        samples.append((time.perf_counter() - began) / repetitions)
    return 1e6 * statistics.median(samples)


def overhead_table(figures: Sequence[Overhead]) -> Table:
    """The figures, methods down and sizes across."""
    sizes = sorted({figure.n for figure in figures})
    rows = []
    for method in dict.fromkeys(figure.method for figure in figures):
        by_size = {figure.n: figure for figure in figures if figure.method == method}
        cells = (
            f"{by_size[n].microseconds:.1f} ({by_size[n].lowest:.1f} – {by_size[n].highest:.1f})"
            if n in by_size
            else "–"
            for n in sizes
        )
        rows.append([method, *cells])
    title = "µs per iteration without user functions: median (lowest – highest)"
    return Table(title, ("method", *(f"n = {n}" for n in sizes)), rows)


def ratio_table(figures: Sequence[Overhead]) -> Table:
    """Ours to its counterpart, for each pair and size."""
    by_name = {(figure.method, figure.n): figure for figure in figures}
    sizes = sorted({figure.n for figure in figures})
    rows = []
    for ours, other in PAIRS:
        if not any((ours, n) in by_name and (other, n) in by_name for n in sizes):
            continue
        cells = []
        for n in sizes:
            one, two = by_name.get((ours, n)), by_name.get((other, n))
            if one is None or two is None:
                cells.append("–")
            else:
                ratio = one.microseconds / two.microseconds
                cells.append(f"{ratio:.2g} ({one.evaluations:.1f}, {two.evaluations:.1f})")
        rows.append([ours, other, *cells])
    title = "Ours / counterpart: ratio of medians (calls of user functions per iteration, ours and counterpart)"
    return Table(title, ("ours", "counterpart", *(f"n = {n}" for n in sizes)), rows, text=(0, 1))


def kernel_table(sizes: Sequence[int]) -> Table:
    """The time of the linear algebra alone."""
    columns = {n: kernels(n) for n in sizes}
    rows = [
        [name, *(f"{columns[n][name]:.1f}" if name in columns[n] else "–" for n in sizes)]
        for name in dict.fromkeys(name for found in columns.values() for name in found)
    ]
    return Table("µs of the linear algebra alone", ("kernel", *(f"n = {n}" for n in sizes)), rows)


def run(sizes: Sequence[int], *, repeats: int = 7) -> Document:
    """The three tables; see `measure` for the parameters."""
    found = measure(sizes, repeats=repeats)
    return Document("Overhead", [overhead_table(found), ratio_table(found), kernel_table(sizes)])
