"""Tests of `newtonkit.classify` on points of known kind: verdicts, error bars, large n, scipy's reports at a saddle."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import autograd.numpy as anp
import numpy as np

import newtonkit
from comparisons.report.document import Document, Note, Table
from comparisons.studies.critical_points.classifier_cases import Case, Function, Vector, normal_form_cases, zoo_cases
from comparisons.studies.critical_points.eigenvalue_truth import SOURCES, measured
from comparisons.studies.critical_points.run_verdicts import judged_runs, run_table
from comparisons.studies.critical_points.saddle_claims import claims_table, scipy_claims, strict_saddle
from newtonkit.classification.lanczos import product_verdict
from newtonkit.linalg.inertia import index_at_least, inertia

_RANK = 50  # of the subspace that bounds an index from below


def run(*, seeds: int = 30, bars: int = 1000, sizes: Sequence[int] = (10_000, 100_000), families: int = 1) -> Document:
    """All tables, with a note for each verdict that is not right; a wrong one is a bad note.

    Parameters
    ----------
    seeds : int, default 30
        Random changes of variables for each form of point.
    bars : int, default 1000
        Hessians for each source of derivatives.
    sizes : sequence of int, default (10,000, 100,000)
        Numbers of variables of the large problems.
    families : int, default 1
        Random data and starts for each family of functions, with and without symmetries, on which runs are made.
    """
    answers = [judged(case) for cases in (normal_form_cases, zoo_cases) for case in cases(range(seeds))]
    notes = [
        Note(
            f"{answer.outcome}: {answer.case.name}, at distance {answer.case.distance:g}: {answer.verdict}",
            "bad" if answer.outcome == "wrong" else "soft",
        )
        for answer in answers
        if answer.outcome != "right"
    ]
    tables = [bar_table(range(bars)), sentence_table(), claims_table(scipy_claims()), large_table(sizes), speed_table()]
    runs = judged_runs(range(families))
    notes += [
        Note(f"wrong: {run.family.name}, {run.method}, gtol = {run.gtol:g}: {run.result.verdict}", "bad")
        for run in runs
        if run.outcome == "wrong"
    ]
    answers_and_runs = [verdict_table(answers), run_table(runs)]
    return Document("Classification of critical points", [*answers_and_runs, *notes, *tables])


# --- verdicts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict on a point whose kind is known."""

    case: Case
    verdict: newtonkit.Verdict

    @property
    def outcome(self) -> str:
        """ "right", "undecided" or "wrong"."""
        if self.verdict.kind == self.case.kind:
            return "right"
        return "undecided" if self.verdict.kind == "undecided" else "wrong"


def judged(case: Case) -> Answer:
    """The verdict of `newtonkit.classify`."""
    return Answer(case, newtonkit.classify(case.fun, case.x))


def verdict_table(answers: Sequence[Answer]) -> Table:
    """Right, undecided and wrong verdicts, by kind of point and distance from it."""
    tally = Counter((answer.case.kind, answer.case.distance, answer.outcome) for answer in answers)
    rows = []
    groups = dict.fromkeys((answer.case.kind, answer.case.distance) for answer in answers)
    for kind, distance in sorted(groups):
        counts = [tally[kind, distance, outcome] for outcome in ("right", "undecided", "wrong")]
        rows.append([kind, f"{distance:g}", str(sum(counts)), *map(str, counts)])
    totals = Counter(answer.outcome for answer in answers)
    rows.append(["all", "", str(len(answers)), *(str(totals[o]) for o in ("right", "undecided", "wrong"))])
    headings = ("kind", "distance", "cases", "right", "undecided", "wrong")
    return Table(f"Verdicts on {len(answers)} degenerate and difficult points", headings, rows)


# --- error bars -------------------------------------------------------------------------------------------------------


def bar_table(seeds: Iterable[int]) -> Table:
    """How often true eigenvalues lie inside the error bars, and the widths of these; zero errors have no ratio."""
    seeds = list(seeds)
    rows = []
    for source in SOURCES:
        error, bar = np.array(list(measured(source, seeds))).T
        inside, ratio = float(np.mean(error <= bar)), bar[error > 0.0] / error[error > 0.0]
        widths = (f"{np.quantile(values, q):.2g}" for values in (ratio, bar) for q in (0.5, 0.99))
        rows.append([source, f"{inside:.2%}", *widths])
    headings = ("Hessian from", "inside", "bar / error: median", "99 %", "bar / |λ|max: median", "99 %")
    return Table(f"Error bars of eigenvalues, {len(seeds)} cases each", headings, rows)


# --- units ------------------------------------------------------------------------------------------------------------


def sentence_table() -> Table:
    """Verdicts where an absolute tolerance on the gradient or an eigenvalue would be wrong."""
    units = np.array([1e-9, 1.0])
    examples: list[tuple[str, Function, Any]] = [
        ("1e-12 x² at 1", lambda x: 1e-12 * x[0] ** 2, [1.0]),
        ("exp(−x) at 40", lambda x: anp.exp(-x[0]), [40.0]),
        ("1e8 (x − 1)² at 1 + 1e-7", lambda x: 1e8 * (x[0] - 1.0) ** 2, [1.0 + 1e-7]),
        ("x² + 1e-20 y² at 0", lambda x: x[0] ** 2 + 1e-20 * x[1] ** 2, [0.0, 0.0]),
        ("x² − 1e-20 y² at 0", lambda x: x[0] ** 2 - 1e-20 * x[1] ** 2, [0.0, 0.0]),
        ("x² − y² + y⁴/4, x in nm, y in m, at 0", lambda z: strict_saddle(z / units), [0.0, 0.0]),
        ("the same at (0, √2 m)", lambda z: strict_saddle(z / units), [0.0, 2**0.5]),
        ("1 + x² + 1e-9 y² at 0, f alone", _opaque(lambda x: 1.0 + x[0] ** 2 + 1e-9 * x[1] ** 2), [0.0, 0.0]),
        ("1 + x² + 1e-9 y² at 0", lambda x: 1.0 + x[0] ** 2 + 1e-9 * x[1] ** 2, [0.0, 0.0]),
    ]
    rows = [[name, str(newtonkit.classify(fun, x))] for name, fun, x in examples]
    return Table("Verdicts in other units", ("point", "verdict"), rows, text=(0, 1))


def _opaque(fun: Function) -> Callable[[Any], float]:
    """The same in Python floats, which autograd cannot trace."""
    return lambda x: float(fun([float(t) for t in x]))


# --- large n ----------------------------------------------------------------------------------------------------------


def wells(x: Any) -> Any:
    """A chain of double wells."""
    return anp.sum((x**2 - 1.0) ** 2) / 4.0 + 0.5 * anp.sum((x[1:] - x[:-1]) ** 2)


def lattice(side: int) -> Function:
    """Σ xᵢxⱼ over neighbours on a square grid, and Σ x⁴: at 0 the Hessian has no diagonal."""

    def fun(x: Any) -> Any:
        U = anp.reshape(x, (side, side))
        return anp.sum(U[1:] * U[:-1]) + anp.sum(U[:, 1:] * U[:, :-1]) + anp.sum(x**4)

    return fun


def large_table(sizes: Sequence[int]) -> Table:
    """Each kind of statement at large n, with its cost; seconds include derivatives and patterns."""
    rows = []
    for n in sizes:
        for name, fun, x, statement in _statements(n):
            evaluator = newtonkit.Evaluator(newtonkit.Objective(fun), second_order=True)
            began = time.perf_counter()
            answer = statement(evaluator, x)
            seconds = time.perf_counter() - began
            products = evaluator.counts.Hv + evaluator.counts.H * evaluator.objective.products_for_hessian(x.size)
            rows.append([str(x.size), name, answer, str(products), f"{seconds:.3f}"])
    return Table("Large n", ("n", "statement", "answer", "products", "seconds"), rows, text=(1, 2))


def _statements(n: int) -> list[tuple[str, Function, Vector, Callable[[newtonkit.Evaluator, Vector], str]]]:
    """On a chain of n double wells, at the barriers and in the wells; and refusals, on a lattice."""
    barrier, well, side = np.zeros(n), np.ones(n), round(n**0.5)
    corrugated = np.zeros(side * side)
    return [
        ("chain at 0: no minimum, by one vector", wells, barrier, partial(_bounded, rank=1)),
        (f"chain at 0: index, by {_RANK} vectors", wells, barrier, partial(_bounded, rank=_RANK)),
        ("chain at 0: Lanczos", wells, barrier, _by_products),
        ("chain at 1: Lanczos", wells, well, _by_products),
        ("chain at 0: exact index", wells, barrier, _counted),
        ("chain at 1: exact index", wells, well, _counted),
        ("lattice at 0: exact index", lattice(side), corrugated, _counted),
        ("lattice at 0: Lanczos", lattice(side), corrugated, _by_products),
    ]


def _by_products(evaluator: newtonkit.Evaluator, x: Vector) -> str:
    return str(product_verdict(evaluator, x, evaluator.gradient(x)))


def _bounded(evaluator: newtonkit.Evaluator, x: Vector, rank: int) -> str:
    """By a subspace of vectors that are constant on stretches of the chain."""
    stretches = np.repeat(np.eye(rank), -(-x.size // rank), axis=0)[: x.size]
    return f"index ≥ {index_at_least(evaluator.hvp(x), stretches)}"


def _counted(evaluator: newtonkit.Evaluator, x: Vector) -> str:
    pattern, reason = evaluator.hessian_pattern(x)
    H = None if pattern is None else evaluator.sparse_hessian(x)
    if H is None:
        return f"refused: {reason}"
    counted = inertia(H)
    if counted is None:
        return "refused: factors without pivoting grow"
    return f"{counted.negative} negative, {counted.zero} zero, {counted.positive} positive"


def speed_table(sizes: Sequence[int] = (2, 3, 5, 10)) -> Table:
    """Milliseconds of `newtonkit.classify` at the minimum of the chained Rosenbrock function."""
    times = []
    for n in sizes:
        laps = []
        for _ in range(9):
            began = time.perf_counter()
            newtonkit.classify(_rosenbrock, np.ones(n))
            laps.append(1e3 * (time.perf_counter() - began))
        times.append(f"{np.median(laps):.1f}")
    return Table("Milliseconds of classify at a minimum", [f"n = {n}" for n in sizes], [times], text=())


def _rosenbrock(x: Any) -> Any:
    return anp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
