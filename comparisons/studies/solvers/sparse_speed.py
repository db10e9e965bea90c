"""Time of sparse Hessians as n grows: the pattern, the first Hessian, later ones; on a chain and on a grid."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np

import newtonkit
from comparisons.report.document import Document, Table


@dataclass(frozen=True, slots=True)
class SparseTiming:
    """Seconds, at one size."""

    name: str
    n: int
    pattern: float
    """Recording the gradient, finding the pattern, grouping the columns."""
    groups: int
    first: float
    """The first Hessian, the recording of the products included."""
    later: float
    """A later one, median of five."""
    entries: int


def run(sizes: Sequence[int] = (10**3, 10**4, 10**5, 10**6)) -> Document:
    """The table of all sizes."""
    return Document("Sparse Hessians", [sparse_table(measure(sizes))])


def measure(sizes: Sequence[int]) -> list[SparseTiming]:
    """The chained Rosenbrock function, and Bratu's energy on a square grid, of about these sizes."""
    timings = []
    for n in sizes:
        side = max(3, round(n**0.5))
        timings.append(_timing("chain", n, chain))
        timings.append(_timing("grid", side * side, grid(side)))
    return timings


def _timing(name: str, n: int, fun: Callable[[Any], Any]) -> SparseTiming:
    x = np.random.default_rng(0).uniform(0.2, 1.2, n)
    began = time.perf_counter()
    hessian = newtonkit.SparseHessian(fun, x)
    pattern = time.perf_counter() - began
    began = time.perf_counter()
    H = hessian(x)
    first = time.perf_counter() - began
    later = []
    for k in range(1, 6):
        began = time.perf_counter()
        hessian(x + 0.01 * k)
        later.append(time.perf_counter() - began)
    return SparseTiming(name, n, pattern, int(hessian.groups.count), first, statistics.median(later), int(H.nnz))


def sparse_table(timings: Sequence[SparseTiming]) -> Table:
    """One row for each function and size."""
    headings = ("function", "n", "pattern", "groups", "first Hessian", "later Hessian", "non-zeros")
    rows = []
    for t in timings:
        pattern, first, later = (f"{value:.4f}" for value in (t.pattern, t.first, t.later))
        rows.append([t.name, str(t.n), pattern, str(t.groups), first, later, str(t.entries)])
    return Table("Seconds, one process", headings, rows)


def chain(x: Any) -> Any:
    return anp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def grid(side: int) -> Callable[[Any], Any]:
    """Bratu's problem u_xx + u_yy + 5 exp(u) = 0 as the minimum of an energy on a grid with zero boundary."""
    h = 1.0 / (side + 1)

    def energy(u: Any) -> Any:
        U = anp.pad(anp.reshape(u, (side, side)), 1, mode="constant")
        differences = anp.sum((U[1:] - U[:-1]) ** 2) + anp.sum((U[:, 1:] - U[:, :-1]) ** 2)
        return 0.5 * differences - 5.0 * h * h * anp.sum(anp.exp(U))

    return energy
