"""The trace of a run: every evaluation and every iteration, as columns. Runs are scored from their traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newtonkit import Counts

Vector = NDArray[np.float64]
Array = NDArray[Any]

KINDS = ("f", "g", "H", "Hv")

# Cost in units of one f, by the theory of automatic differentiation (Griewank & Walther, 2008, sections 3.3 and 5.1,
# rounded): a gradient costs about two f in addition to the f evaluated with it, a Hessian-vector product two gradients.
# A Hessian costs as many products as recover it: n if it is dense, one for each group of columns of its pattern if it
# is sparse (Curtis, Powell & Reid, 1974), see `comparisons.core.prices.hessian_products`.
COST_OF_F = 1
COST_OF_GRADIENT = 2
COST_OF_PRODUCT = 4


def cost(counts: Counts, hessian_products: int) -> int:
    """The cost of the evaluations of a run in units of one f: f + 2g + 4Hv + 4kH, k products for each Hessian."""
    return (
        COST_OF_F * counts.f
        + COST_OF_GRADIENT * counts.g
        + COST_OF_PRODUCT * counts.Hv
        + COST_OF_PRODUCT * hessian_products * counts.H
    )


@dataclass(frozen=True, slots=True)
class TracePoint:
    """One iteration of a run."""

    cost: int
    """Cost up to this iteration, see `cost`."""
    f: float
    gradient_norm: float
    """‖g‖∞; NaN if the solver did not evaluate the gradient at this point."""
    x: tuple[float, ...] = ()
    """The point; problems of two variables only."""


@dataclass(frozen=True, eq=False)
class Evaluations:
    """One row for every evaluation, in the order in which they were made."""

    kind: NDArray[np.str_]
    """One of `KINDS`."""
    f: Vector
    """The value in rows of kind f; NaN in others."""
    gradient_norm: Vector
    """‖g‖∞ in rows of kind g; NaN in others, and if g was not finite."""
    distance: Vector
    """‖x − x*‖ / max(1, ‖x*‖), x* the known critical point nearest to x; NaN if none is known."""
    nearest: NDArray[np.int32]
    """The index of that critical point in ``Problem.points``; −1 if none is known."""
    seconds: Vector
    """Since the start of the run, without the time spent on recording."""
    iteration: NDArray[np.int32]
    """Iterations that were complete when it was made."""
    check: NDArray[np.bool_]
    """Whether it was made for a check and is not part of the counts."""

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, eq=False)
class Iterations:
    """One row for the start and one for every iteration."""

    evaluations: NDArray[np.int32]
    """Rows of `Evaluations` that had been written by then."""
    f: Vector
    gradient_norm: Vector
    """‖g‖∞; NaN if the solver did not evaluate the gradient at this point."""
    accepted: NDArray[np.bool_]
    """False for a rejected trial of a trust region."""
    length: Vector
    """‖s‖ of the (trial) step; like the next two columns NaN if the solver does not report it."""
    alpha: Vector
    radius: Vector
    note: NDArray[np.int32]
    """The index in ``notes`` of a remark about the step."""
    notes: NDArray[np.str_]
    """The different remarks, the first of them empty; not one for each row."""
    x: Vector
    """The points, shape (rows, 2); shape (rows, 0) for problems of more or fewer variables."""

    def __len__(self) -> int:
        return len(self.f)


@dataclass(frozen=True, eq=False)
class Trace:
    """Evaluations and iterations of a run; as a sequence, its iterations, the start first.

    Parameters
    ----------
    n : int
        Number of variables.
    evaluations : Evaluations
    iterations : Iterations
    sparse_products : int, default 0
        Products that recover one Hessian, if that is sparse and the run evaluated it; otherwise 0.
    """

    n: int
    evaluations: Evaluations
    iterations: Iterations
    sparse_products: int = 0

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, k: int) -> TracePoint:
        return self.points[k]

    def __iter__(self) -> Iterator[TracePoint]:
        return iter(self.points)

    def __repr__(self) -> str:
        return f"<Trace of {len(self.evaluations)} evaluations in {max(len(self) - 1, 0)} iterations>"

    @property
    def hessian_products(self) -> int:
        """The price of one Hessian in products: n unless it is sparse."""
        return self.sparse_products or self.n

    @cached_property
    def points(self) -> tuple[TracePoint, ...]:
        """The iterations with their costs."""
        spent = np.concatenate([[0], np.cumsum(self.weights())])
        rows = self.iterations
        return tuple(
            TracePoint(int(spent[done]), float(f), float(size), tuple(map(float, x)))
            for done, f, size, x in zip(rows.evaluations, rows.f, rows.gradient_norm, rows.x, strict=True)
        )

    def weights(
        self, f: float = COST_OF_F, g: float = COST_OF_GRADIENT, Hv: float = COST_OF_PRODUCT, H: float | None = None
    ) -> Vector:
        """The cost of each evaluation, zero for checks; the running sum is the cost up to an evaluation.

        Parameters
        ----------
        f, g, Hv : float
            Prices; the defaults are those of `cost`.
        H : float, optional
            The price of a Hessian; default `hessian_products` times that of a product.
        """
        price = {"f": f, "g": g, "Hv": Hv, "H": self.hessian_products * Hv if H is None else H}
        paid = np.zeros(len(self.evaluations))
        for kind, each in price.items():
            paid[self.evaluations.kind == kind] = each
        paid[self.evaluations.check] = 0.0
        return paid

    def counts(self, *, checks: bool = False) -> Counts:
        """The number of rows of each kind, without checks or of checks only."""
        rows = self.evaluations.kind[self.evaluations.check == checks]
        return Counts(**{kind: int((rows == kind).sum()) for kind in KINDS})

    def arrays(self) -> dict[str, Array]:
        """All columns by name, for storage: see `from_arrays`."""
        return {
            f"{table}.{column.name}": getattr(getattr(self, table), column.name)
            for table, kind in _TABLES.items()
            for column in fields(kind)
        } | {_PRODUCTS: np.array(self.sparse_products)}

    @classmethod
    def empty(cls, n: int) -> Trace:
        """A trace without rows."""
        names = [f"{table}.{column.name}" for table, kind in _TABLES.items() for column in fields(kind)]
        return cls.from_arrays(n, dict.fromkeys(names, ()))

    @classmethod
    def from_arrays(cls, n: int, arrays: Mapping[str, Any]) -> Trace:
        """The trace that `arrays` describes.

        Parameters
        ----------
        n : int
        arrays : mapping of str to array_like
            Arrays or lists.

        Raises
        ------
        ValueError
            If a column is missing, or its length differs from that of its table.
        """
        found = {}
        for table, kind in _TABLES.items():
            columns = {}
            for column in fields(kind):
                name = f"{table}.{column.name}"
                if name not in arrays:
                    raise ValueError(f"a trace must have the column {name!r}; it has {', '.join(arrays) or 'none'}")
                columns[column.name] = np.asarray(arrays[name], dtype=_TYPES.get(column.name, np.float64))
            rows = len(columns["f"])
            if "x" in columns:
                columns["x"] = columns["x"].reshape(rows, -1) if rows else columns["x"].reshape(0, 0)
            for name, values in columns.items():
                if len(values) != rows and name != "notes":
                    raise ValueError(f"column {table}.{name} must have {rows} entries as {table}.f, got {len(values)}")
            found[table] = kind(**columns)
        return cls(n, found["evaluations"], found["iterations"], int(arrays.get(_PRODUCTS, 0)))


_PRODUCTS = "sparse_products"
_TABLES: dict[str, type[Any]] = {"evaluations": Evaluations, "iterations": Iterations}
_TYPES: dict[str, Any] = {
    "kind": np.str_,
    "notes": np.str_,
    "nearest": np.int32,
    "iteration": np.int32,
    "evaluations": np.int32,
    "note": np.int32,
    "check": np.bool_,
    "accepted": np.bool_,
}
