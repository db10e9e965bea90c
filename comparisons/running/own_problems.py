"""Problems that the user gives: a function with a start, and f* found from the runs themselves."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import newtonkit
from comparisons.core.endings import SAME_F, classify_ending
from comparisons.core.labels import count, listing, number
from comparisons.core.reference import is_below
from comparisons.core.runs import Run
from newtonkit import Evaluator, Objective
from newtonkit.classification.verdict import Verdict
from newtonkit.core.read_bounds import read_bounds
from newtonkit.linalg.kernels import all_finite
from newtonkit.objectives.finite_sum import FiniteSum, added_function
from problems import CriticalPoint, Problem
from problems import names as problem_names

# of max(1, ‖g₀‖∞): a verdict on a point with a larger gradient is about another point
_SMALL_GRADIENT = 1e-4
_SAME_X = 1e-3  # of max(1, ‖x‖): as in `Problem.reached`


@dataclass(frozen=True)
class OwnProblem:
    """A problem of the user.

    Parameters
    ----------
    name : str
        Not a name of the catalogue.
    fun : callable or Objective
        Written with ``autograd.numpy``; or an Objective such as `newtonkit.objectives.sum_of_squares.SumOfSquares`
        (residuals) or `newtonkit.objectives.finite_sum.FiniteSum`, whose value is compared. All methods get exact
        derivatives of it.
    x0 : array_like of shape (n,), or a mapping of str to such arrays
        The start, or starts by name; the first of several must be "standard".
    args : tuple, optional
        Further arguments of fun, such as data.
    bounds : optional
        As in `newtonkit.minimize`: pairs, arrays, ``Bounds``. Methods that do not accept bounds are not run.
    points : sequence, optional
        Known critical points: of the catalogue's type `problems.CriticalPoint`, or the list that
        `newtonkit.find_critical_points` returns.

    Examples
    --------
    >>> problem = OwnProblem("mine", lambda x, a: ((x - a) ** 2).sum(), [0.0], args=(3.0,)).problem()
    >>> float(problem.fun(np.array([1.0]))), problem.n
    (4.0, 1)
    """

    name: str
    fun: Any
    x0: Any
    args: tuple[Any, ...] = ()
    points: Sequence[Any] = ()
    bounds: Any = None

    def problem(self) -> Problem:
        """The problem, with the known points.

        Raises
        ------
        TypeError, ValueError
            For a malformed argument, or if f or its gradient is not finite at a start.
        """
        fun: Any = self.fun
        args = self.args
        if isinstance(self.fun, FiniteSum):
            fun = _as_plain_sum(self.fun)
        elif isinstance(self.fun, Objective):
            fun, args = self.fun.fun, (*self.fun.args, *args)
        if not callable(fun):
            raise TypeError(f"fun must be callable, got {fun!r}")
        if self.name in problem_names():
            raise ValueError(
                f"{self.name!r} is a problem of the catalogue; give your function another name, as in (name, fun, x0)"
            )
        given = self.x0 if isinstance(self.x0, Mapping) else {"standard": self.x0}
        starts = {key: np.atleast_1d(x) for key, x in given.items()}
        first = next(iter(starts.values()), np.empty(0))
        bound = (lambda x: fun(x, *args)) if args else fun
        points = tuple(_catalogued(point) for point in self.points)
        complete = bool(getattr(self.points, "complete", False))
        box = None
        if self.bounds is not None:
            domain = read_bounds(self.bounds, first.size)
            box = np.stack([np.broadcast_to(end, first.shape) for end in (domain.lower, domain.upper)], axis=1)
            starts = {key: domain.project(np.array(x, dtype=np.float64)) for key, x in starts.items()}
        problem = Problem(
            fun=bound, n=first.size, starts=starts, points=points, complete=complete, name=self.name, bounds=box
        )
        for key, x in problem.starts.items():
            # an error in fun is reported before any run
            with np.errstate(all="ignore"):
                f, g = Evaluator(Objective(problem.fun)).value_and_grad(np.array(x))
            if not (math.isfinite(f) and all_finite(g)):
                raise ValueError(
                    f"f and its gradient must be finite at the start {key!r} of {self.name!r}, got f = {f}"
                )
        return problem


def _as_plain_sum(total: FiniteSum) -> Callable[[Any], Any]:
    """The sum as one function of x, which every method differentiates in this process; the data stay loaded."""
    parts = [recipe.load() for recipe in total.partitions.recipes]
    loss, regularizer = added_function(total.loss), added_function(total.regularizer)
    assert loss is not None

    def fun(x: Any) -> Any:
        terms = [weight * loss(x, part) for weight, part in zip(total.weights, parts, strict=True)]
        return sum(terms if regularizer is None else [*terms, regularizer(x)])

    return fun


def _catalogued(point: Any) -> CriticalPoint:
    if isinstance(point, CriticalPoint):
        return point
    kind = "degenerate minimum" if point.kind == "valley" else point.kind
    return CriticalPoint(x=point.x, f=point.fun, kind=kind, index=point.index or 0, verified=point.level)


def score_own(problem: Problem, runs: Sequence[Run]) -> tuple[Problem, list[Run], str]:
    """Take f* of a problem from its runs, and classify their endings again.

    f* is the lowest of the known minima and of the minima that runs reached and the Hessian verifies. A run that ends
    below f* by more than rounding, at no verified minimum, does not change f* and is not solved.

    Returns
    -------
    problem : Problem
        With the minima that were found.
    runs : list of Run
        With gap and ending.
    statement : str
        What f* is, what proves it, and which other minima there are; or why there is none.
    """
    found = list(problem.points)
    by: dict[float, str] = {}
    for run in sorted((run for run in runs if _verified(run)), key=lambda run: run.f):
        if not any(_same(point, run) for point in found):
            singular = run.verdict != "minimum"
            kind, basis = ("degenerate minimum", "curvature and values") if singular else ("minimum", "the Hessian")
            point = CriticalPoint(
                x=np.array(run.x), f=run.f, kind=kind, index=0, verified=f"a run of {run.method}, {basis}"
            )
            found.append(point)
            by[point.f] = run.method
    known = dataclasses.replace(problem, points=tuple(found))
    if known.best is None:
        return known, list(runs), f"{problem.label}: no run reached a verified minimum, so f* is not known."
    scored = [_scored(known, run) for run in runs]
    return known, scored, _statement(problem, known, scored, by)


def _verified(run: Run) -> bool:
    """Whether the Hessian shows a minimum at the end, and the gradient is small there."""
    kinds = ("minimum", "degenerate minimum", "valley")
    return run.verdict in kinds and math.isfinite(run.f) and _small_gradient(run)


def _small_gradient(run: Run) -> bool:
    sizes = run.trace.evaluations.gradient_norm
    first = next((float(size) for size in sizes if not math.isnan(size)), 1.0)
    return run.gradient_norm <= _SMALL_GRADIENT * max(1.0, first)


def _same(point: CriticalPoint, run: Run) -> bool:
    """Whether the run ended at this point, or elsewhere in the same valley."""
    if not point.kind.endswith("minimum") or abs(point.f - run.f) > SAME_F * max(1.0, abs(point.f)):
        return False
    if point.degenerate or point.x is None:
        return True
    return float(np.linalg.norm(point.x - np.array(run.x))) <= _SAME_X * max(1.0, float(np.linalg.norm(point.x)))


def _scored(problem: Problem, run: Run) -> Run:
    assert problem.best is not None
    finite = math.isfinite(run.f) and bool(np.isfinite(run.x).all())
    point = problem.reached(run.x, run.f) if finite else None
    kind = run.verdict if _small_gradient(run) else "not critical"
    verdict = Verdict(kind, run.verdict_reason) if finite else None
    scored = dataclasses.replace(run, gap=run.f - problem.best.f)
    # below f* no known minimum describes the end
    judged = dataclasses.replace(problem, points=()) if is_below(scored) else problem
    nearest, distance = problem.nearest(run.x) if finite else (None, math.nan)
    return dataclasses.replace(
        scored,
        ending=classify_ending(judged, run.f, run.f_start, run.reason, verdict, point),
        reached=None if point is None else point.kind,
        reached_f=None if point is None else point.f,
        distance=None if nearest is None else distance / max(1.0, float(np.linalg.norm(nearest.x))),  # type: ignore[arg-type]
    )


def _statement(problem: Problem, known: Problem, runs: Sequence[Run], by: Mapping[float, str]) -> str:
    best = known.best
    assert best is not None
    if best.f in by:
        text = f"{problem.label}: f* = {number(best.f, 10)} is the lowest verified minimum that a run reached"
        proof = newtonkit.convexity(problem.fun, np.array(problem.starts["standard"]))
        text += f", certified as global: f is {proof}" if proof.convex else "; no lower one is excluded"
    else:
        text = f"{problem.label}: f* = {number(best.f, 10)} is the lowest of the given critical points"
        text += f" ({best.verified})" if best.verified else ""
    others = [number(point.f, 6) for point in known.minima if point.f - best.f > SAME_F * max(1.0, abs(best.f))]
    if others:
        text += f". {count(len(others), 'other minimum').replace('minimums', 'minima')}: f = {listing(others)}"
    lower = [run.method for run in runs if is_below(run)]
    if lower:
        text += f". f fell below f* without reaching a minimum in runs of {listing(list(dict.fromkeys(lower)))}"
    return text + "."
