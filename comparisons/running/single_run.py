"""One run: a solver on a problem from a start, recorded, and its end judged in the same way for every solver."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import newtonkit
from comparisons.core.endings import classify_ending, lowest_eigenvalue
from comparisons.core.runs import Run, Tuning, cost, versions
from comparisons.running import scipy_solvers as reference
from comparisons.running.protocol import STANDARD, Protocol, start_point
from comparisons.running.recorder import Recorder, Report
from comparisons.running.solvers import Solver, accepted, as_solver
from comparisons.running.tuning import tune
from newtonkit import Counts, Evaluator, Objective, Stop
from newtonkit.classification.examination import dense_verdict
from newtonkit.classification.verdict import Verdict
from newtonkit.driver.method import Method
from newtonkit.driver.runner import run as run_method
from newtonkit.linalg.kernels import EPS
from newtonkit.methods.first_order import FirstOrder
from problems import Problem

Vector = NDArray[np.float64]

_SAMPLED = 100  # variables up to which a verdict rests on Hessians all round the point
_SPECTRUM = 1000  # and up to which it rests on all eigenvalues


def tuning_for(problem: Problem, solver: Solver, protocol: Protocol) -> Tuning | None:
    """The learning rate found for a solver, where it is to be tuned."""
    if solver.rate != "tuned":
        return None
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
        Name of one of the problem's starts, or of those drawn at random: see `start_point`.
    method : str or Solver
        See `as_solver`.
    protocol : Protocol
    tuning : Tuning, optional
        Whose rate the method takes.
    report : callable, optional
        Given the evaluations as they are made; see `Recorder`.
    """
    solver = as_solver(method)
    x0 = start_point(problem, start, protocol.seed)
    options = {**solver.options, **({} if tuning is None else {"rate": tuning.rate})}
    recorder = Recorder(problem, report)
    began = time.perf_counter()
    if solver.is_scipys or solver.is_callable:
        end = _reference_run(problem, x0, solver, protocol, recorder)
    else:
        objective = Objective(problem.fun)
        end = _own_run(objective, x0, *solver.portfolio(objective, x0, **options), protocol, recorder)
    end["seconds"] = time.perf_counter() - began - recorder.own_seconds
    return judged(problem, start, solver, protocol, options | {"tuning": tuning}, end | {"trace": recorder.trace()})


def lost_run(
    problem: Problem, start: str, method: str, protocol: Protocol, tuning: Tuning | None, end: Mapping[str, Any]
) -> Run:
    """The record of a run whose process was lost: its start, what it had reported, and why.

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
    return judged(problem, start, solver, protocol, {**solver.options, "tuning": tuning}, known | dict(end))


def verdict_on(problem: Problem, x: Vector) -> Verdict:
    """What kind of point x is; with up to a hundred variables `newtonkit.classify` says it.

    Above, the Hessian is not sampled all round x, which would take two dozen of them and, at n = 650, ten times as long
    as the run that is judged: what holds along Newton's next step has to do.
    """
    if problem.n <= _SAMPLED or problem.n > _SPECTRUM:
        return newtonkit.classify(problem.fun, x)
    return dense_verdict(Evaluator(Objective(problem.fun), second_order=True), np.array(x))


def judged(
    problem: Problem,
    start: str,
    solver: Solver,
    protocol: Protocol,
    asked: Mapping[str, Any],
    end: Mapping[str, Any],
) -> Run:
    """The record of a run, with the verdict on its end."""
    x0 = start_point(problem, start, protocol.seed)
    x, f = np.asarray(end["x"]), float(end["f"])
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
        gradient_norm=float(np.abs(g).max()),
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
        cost=cost(end["counts"], problem.n),
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
) -> dict[str, Any]:
    budget = protocol.budget
    stop = Stop(maxfev=budget.maxfev, maxgev=budget.maxgev, maxiter=10 * protocol.gradients)
    if protocol.tolerance is not None:
        stop = dataclasses.replace(stop, gtol=protocol.tolerance)
    # the verdict is made afterwards, outside the budget, the same for every method; rules at a rate never leave a
    # saddle, so that theirs would be of no use to them
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
        )
    except Exception as error:  # a method that breaks costs its own cell only
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
        # told to go on for ever, some of scipy's leave the minimum they were at for values that are no numbers; ours
        # return the best point too
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
    """What a record can hold of an option: its text, where it is an object."""
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)
