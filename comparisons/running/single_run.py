"""One run: a solver on a problem from a start, recorded; every solver's end is classified in the same way."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import newtonkit
from comparisons.core.endings import SKIPPED, classify_ending, lowest_eigenvalue
from comparisons.core.runs import Run, Tuning, cost, versions
from comparisons.running import scipy_solvers as reference
from comparisons.running.batch_runs import run_batches, tune_batches
from comparisons.running.protocol import STANDARD, Protocol, start_point
from comparisons.running.recorder import Recorder, Report
from comparisons.running.solvers import Solver, accepted, as_solver
from comparisons.running.tuning import tune
from newtonkit import Counts, Evaluator, Objective, Stop
from newtonkit.classification.allowance import Allowance
from newtonkit.classification.staged import staged_verdict
from newtonkit.classification.verdict import Verdict
from newtonkit.core.domain import Box, Domain, Unbounded
from newtonkit.driver.method import Method
from newtonkit.driver.runner import run as run_method
from newtonkit.linalg.kernels import EPS
from newtonkit.methods.first_order import FirstOrder
from problems import Problem

Vector = NDArray[np.float64]

_SAMPLED = 100  # variables up to which a verdict uses Hessians sampled around the point, see `verdict_on`
_SPECTRUM = 1000  # variables up to which it uses all eigenvalues
# solvers that store dense n × n matrices whatever the problem; scipy's do not predict their memory
_DENSE = ("bfgs", "dfp", "sr1", "newton-linesearch", "scipy:BFGS", "scipy:trust-exact")
_MEMORY = 1e9  # bytes of one such matrix: n = 11 000
# variables up to which a learning rate is tuned: 15 rates of up to 500 gradients each, measured: a minute at n = 1e5
_TUNED = 20_000


def tunes(problem: Problem, solver: Solver) -> bool:
    """Whether a learning rate is to be found for this solver on this problem."""
    return solver.rate == "tuned" and not why_skipped(problem, solver)


def why_skipped(problem: Problem, solver: Solver) -> str:
    """Why the solver is not run on a problem; empty if it is."""
    size = 8 * problem.n**2
    if solver.batch and (problem.samples is None or problem.best is None):
        return f"{solver.label} takes mini-batches, and f is not a mean over samples with a known minimum"
    if problem.bounds is not None and not solver.accepts_bounds:
        return f"{solver.label} does not accept bounds"
    if solver.name in _DENSE and size > _MEMORY:
        return f"{solver.label} stores dense {problem.n} × {problem.n} matrices of {size / 1e9:.0f} GB each"
    if solver.rate == "tuned" and problem.n > _TUNED:
        return f"tuning a learning rate takes thousands of gradients of {problem.n} variables"
    return ""


def tuning_for(problem: Problem, solver: Solver, protocol: Protocol) -> Tuning | None:
    """The learning rate found for a solver; None if it is not tuned."""
    if not tunes(problem, solver):
        return None
    if solver.batch:
        return tune_batches(problem, solver.name, solver.batch, solver.options, protocol)
    return tune(problem, solver.name, budget=protocol.tuning_gradients, **solver.options)


def run_one(
    problem: Problem,
    start: str,
    method: str | Solver,
    protocol: Protocol = STANDARD,
    tuning: Tuning | None = None,
    *,
    report: Report | None = None,
) -> Run:
    """One method on one problem from one start.

    Parameters
    ----------
    problem : Problem
    start : str
        The name of a start of the problem or of a random start: see `start_point`.
    method : str or Solver
        See `as_solver`.
    protocol : Protocol
    tuning : Tuning, optional
        The learning rate.
    report : callable, optional
        Called with the evaluations; see `Recorder`.
    """
    solver = as_solver(method)
    x0 = start_point(problem, start, protocol.seed)
    if reason := why_skipped(problem, solver):
        end = {"seconds": 0.0, "reason": SKIPPED, "message": reason, "trace": Recorder(problem, report).trace()}
        return lost_run(problem, start, solver, protocol, None, end)
    options = {**solver.options, **({} if tuning is None else {"rate": tuning.rate})}
    recorder = Recorder(problem, report)
    began = time.perf_counter()
    if solver.batch:
        end = run_batches(problem, x0, solver.name, solver.batch, options, protocol, recorder)
    elif solver.is_scipys or solver.is_callable:
        end = _reference_run(problem, x0, solver, protocol, recorder)
    else:
        objective = Objective(problem.fun)
        methods = solver.portfolio(objective, x0, **options)
        end = _own_run(objective, x0, *methods, protocol, recorder, domain_of(problem))
    end["seconds"] = time.perf_counter() - began - recorder.own_seconds
    return classified_run(
        problem, start, solver, protocol, options | {"tuning": tuning}, end | {"trace": recorder.trace()}
    )


def domain_of(problem: Problem) -> Domain:
    """The box of the bounds of a problem, or all of Rⁿ."""
    return Unbounded() if problem.bounds is None else Box(*problem.bounds.T)


def lost_run(
    problem: Problem,
    start: str,
    method: str | Solver,
    protocol: Protocol,
    tuning: Tuning | None,
    end: Mapping[str, Any],
) -> Run:
    """The record of a run whose process was lost: its start, its reports, and the reason.

    Parameters
    ----------
    end : mapping
        seconds, reason and message, and the ``trace`` so far.
    """
    solver = as_solver(method)
    x0 = start_point(problem, start, protocol.seed)
    trace = end["trace"]
    counts = trace.counts()
    known = {
        "x": x0,
        "f": float(problem.fun(x0.copy())),
        "success": False,
        "counts": counts,
        "checks": trace.counts(checks=True),
        "reported": {},
        "nit": 0,
    }
    return classified_run(problem, start, solver, protocol, {**solver.options, "tuning": tuning}, known | dict(end))


def verdict_on(problem: Problem, x: Vector) -> Verdict:
    """The kind of the point x, by `newtonkit.classify` for up to a hundred variables.

    For more variables the Hessian is not sampled around x, which would require two dozen Hessians and, at n = 650,
    ten times the time of the run itself: the verdict uses Newton's next step only. With bounds the verdict is that of
    `newtonkit.classify` in the box.
    """
    if problem.bounds is not None:
        return newtonkit.classify(problem.fun, x, bounds=problem.bounds)
    if problem.n <= _SAMPLED or problem.n > _SPECTRUM:
        return newtonkit.classify(problem.fun, x)
    evaluator, x = Evaluator(Objective(problem.fun), second_order=True), np.array(x)
    return staged_verdict(evaluator, x, evaluator.gradient(x), allowance=Allowance(g=200, H=3))


def classified_run(
    problem: Problem,
    start: str,
    solver: Solver,
    protocol: Protocol,
    asked: Mapping[str, Any],
    end: Mapping[str, Any],
) -> Run:
    """The record of a run, with the verdict and the ending."""
    x0, domain = start_point(problem, start, protocol.seed), domain_of(problem)
    x, f = np.asarray(end["x"]), float(end["f"])
    if not domain.contains(x):  # of a solver that leaves the bounds by rounding
        x = domain.project(x)
        f = float(problem.fun(np.array(x)))
    finite = bool(np.isfinite(x).all()) and math.isfinite(f)
    with np.errstate(all="ignore"):
        verdict = verdict_on(problem, x) if finite else None
        f_start = float(problem.fun(np.array(x0)))
        _, g = Evaluator(Objective(problem.fun)).value_and_grad(np.array(x))
    point = problem.reached(x, f) if finite else None
    nearest, distance = problem.nearest(x) if finite else (None, math.nan)
    best = problem.best
    options = {key: _simple(value) for key, value in asked.items() if key != "tuning"}
    return Run(
        problem=problem.label,
        name=problem.name,
        parameters=dict(problem.parameters),
        n=problem.n,
        start=start,
        method=solver.label,
        options=options,
        x=tuple(map(float, x)),
        f=f,
        f_start=f_start,
        gradient_norm=domain.criticality(x, g),
        success=end["success"],
        reason=end["reason"],
        message=end["message"],
        verdict="undecided" if verdict is None else verdict.kind,
        verdict_reason="the end is not finite" if verdict is None else verdict.reason,
        index=None if verdict is None else verdict.index,
        reached=None if point is None else point.kind,
        reached_f=None if point is None else point.f,
        gap=None if best is None else f - best.f,
        counts=end["counts"],
        checks=end["checks"],
        reported=end["reported"],
        cost=cost(end["counts"], end["trace"].hessian_products),
        nit=end["nit"],
        seconds=end["seconds"],
        trace=end["trace"],
        tuning=asked["tuning"],
        versions=versions(),
        x_start=tuple(map(float, x0)),
        ending=classify_ending(problem, f, f_start, end["reason"], verdict, point),
        lambda_min=lowest_eigenvalue(problem, x, verdict),
        distance=None if nearest is None else distance / max(1.0, float(np.linalg.norm(nearest.x))),  # type: ignore[arg-type]
        mode=protocol.mode,
        gtol=protocol.tolerance,
        seed=protocol.seed,
    )


def _own_run(
    objective: Objective,
    x0: Vector,
    method: Method,
    fallbacks: tuple[Method, ...],
    protocol: Protocol,
    recorder: Recorder,
    domain: Domain,
) -> dict[str, Any]:
    budget = protocol.budget
    stop = Stop(maxfev=budget.maxfev, maxgev=budget.maxgev, maxiter=10 * protocol.gradients)
    if protocol.tolerance is not None:
        stop = dataclasses.replace(stop, gtol=protocol.tolerance)
    # the verdict is made afterwards, outside the budget, for every method alike; first-order rules never leave a
    # saddle, so that a verdict during their run would not change it
    check = not isinstance(method, FirstOrder)
    reason = ""
    try:
        result = run_method(
            method,
            objective,
            x0,
            stop,
            fallbacks=fallbacks,
            history=recorder,
            check=check,
            observer=recorder,
            domain=domain,
        )
    except Exception as error:  # an exception of a method ends this run only
        if not hasattr(error, "partial_result"):
            raise
        result, reason = error.partial_result, type(error).__name__
    return {
        "x": result.x,
        "f": float(result.fun),
        "success": bool(result.success),
        "reason": reason or result.reason.name,
        "message": result.message,
        "counts": Counts(result.nfev, result.njev, result.nhev, result.nhvp),
        "checks": result.checks,
        "reported": {"nfev": result.nfev, "njev": result.njev, "nhev": result.nhev, "nhvp": result.nhvp},
        "nit": result.nit,
    }


def _reference_run(
    problem: Problem, x0: Vector, solver: Solver, protocol: Protocol, recorder: Recorder
) -> dict[str, Any]:
    if solver.is_callable:
        assert callable(solver.target)
        end = reference.observed(
            problem, x0, solver.target, accepted(solver.target), protocol.budget, recorder=recorder
        )
    else:
        end = reference.solve(
            problem,
            x0,
            solver.name.removeprefix("scipy:"),
            gtol=protocol.tolerance,
            maxiter=10 * protocol.gradients,
            budget=protocol.budget,
            options=solver.options,
            recorder=recorder,
        )
    x, f = end.x, end.f
    best = end.evaluator.incumbent.x
    if (
        best is not None
        and protocol.tolerance == 0
        and solver.is_scipys
        and not f - end.evaluator.incumbent.f <= 10 * EPS * abs(f)
    ):
        # with a tolerance of 0 some of scipy's solvers move from a minimum to values that are not finite; the best
        # point is used instead, as our methods do
        x, f = best, end.evaluator.incumbent.f
    return {
        "x": x,
        "f": f,
        "success": end.success,
        "reason": end.reason,
        "message": end.message,
        "counts": end.evaluator.counts,
        "checks": end.evaluator.check_counts,
        "reported": end.reported,
        "nit": end.nit,
    }


def _simple(value: Any) -> Any:
    """The option as a record stores it: an object as text."""
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)
