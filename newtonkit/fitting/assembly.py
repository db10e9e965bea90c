"""The result of a fit from where its iteration ended: derivatives of all parameters, verdict, covariances."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp

from newtonkit.classification.point_verdict import verdict_at
from newtonkit.classification.verdict import Verdict, unchecked
from newtonkit.core.counts import Counts
from newtonkit.core.domain import Domain
from newtonkit.core.state import BudgetSpent
from newtonkit.core.termination import Kind
from newtonkit.derivatives.losses import Loss
from newtonkit.derivatives.pytree import Unflatten
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.fitting.certified_minimum import certified_minimum
from newtonkit.fitting.covariance import (
    UnitColumns,
    covariances,
    flat_combinations,
    undetermined_combinations,
    unknown_covariances,
)
from newtonkit.fitting.functions import FitFunctions
from newtonkit.fitting.jacobians import is_finite
from newtonkit.fitting.outcome import Fitted, Outcome, Tolerances
from newtonkit.fitting.problem import FitPoint, FitProblem
from newtonkit.fitting.result import FitResult, termination
from newtonkit.fitting.runaway import runaway_sentence
from newtonkit.fitting.sparse_covariance import sparse_covariances
from newtonkit.fitting.step_model import Mask
from newtonkit.fitting.variable_projection import ProjectedProblem
from newtonkit.linalg.kernels import Matrix, Vector
from newtonkit.objectives.objective import Objective


class Setting(Protocol):
    """What the fit was given."""

    functions: FitFunctions
    loss: Loss
    domain: Domain
    tolerances: Tolerances
    start: Vector


# outcomes of a cost that falls towards infinity
_WITHOUT_MINIMUM = (Outcome.UNDETERMINED, Outcome.NO_PROGRESS, Outcome.NO_STEP, Outcome.ITERATIONS)


def assemble(
    fitted: Fitted,
    problem: FitProblem | ProjectedProblem,
    setting: Setting,
    names: list[str],
    unflatten: Unflatten,
) -> FitResult:
    """The result; evaluates the Jacobian and the second derivatives at the end point, and counts them."""
    whole = FitProblem(setting.functions, setting.loss)
    with np.errstate(all="ignore"):
        at, finite = _end_point(fitted, whole)
        S = _second_order_part(fitted, at, whole) if finite else None
    x, n = at.x, at.x.size
    J = at.jacobian if at.jacobian is not None else np.full((at.residuals.size, n), np.nan)
    g = np.asarray(J.T @ at.weighted)
    free = setting.domain.free(x, g)
    optimality = setting.domain.criticality(x, g)
    small = finite and not sp.issparse(J)
    A, labels = J, names
    if small and not free.all():
        A, labels = J[:, free], [name for name, is_free in zip(names, free, strict=True) if is_free]
        S = None if S is None else S[np.ix_(free, free)]
    columns = UnitColumns(A) if small and free.any() else None
    undetermined = [] if columns is None else undetermined_combinations(columns, A, labels)
    counts = dataclasses.replace(setting.functions.counts)
    verdict = unchecked("the fit did not converge")
    if fitted.success:
        verdict = _verdict(whole, at, A, g, S, free, columns)
    flat = fitted.success and verdict.kind == "valley"
    if flat and not undetermined and columns is not None and S is not None:
        undetermined = flat_combinations(A.T @ A + S, columns, labels, verdict.flat_dimension or 1)
    if verdict.kind == "minimum":
        undetermined = []  # the curvature of the residuals determines what J does not
    away = ""
    if fitted.outcome in _WITHOUT_MINIMUM or undetermined or verdict.kind == "not critical":
        with np.errstate(all="ignore"):
            away = runaway_sentence(whole, at, setting.start, setting.domain, names)
    variables = [names[i] for i in problem.nonlinear] if isinstance(problem, ProjectedProblem) else names
    ending = termination(fitted, setting, optimality, undetermined, verdict, away, variables)
    success = ending.reason.kind is Kind.CONVERGED
    degrees = at.residuals.size - int(free.sum())
    variance = 2.0 * at.cost / degrees if degrees > 0 else np.inf
    covariance = unknown_covariances(n)
    if small:
        covariance = covariances(columns, A, at.weighted, S, variance, free)
    elif finite:
        covariance = sparse_covariances(J, variance, free)
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.diag(covariance.linearized)) if covariance.linearized.size else np.full(n, np.nan)
    after = setting.functions.counts
    eliminated = [names[i] for i in problem.linear] if isinstance(problem, ProjectedProblem) else []
    return FitResult(
        x=unflatten(x.copy()),
        vector=x.copy(),
        cost=at.cost,
        fun=at.residuals,
        jac=J,
        grad=g,
        optimality=optimality,
        active_mask=_active(setting.domain, x),
        nfev=counts.f,
        njev=counts.g,
        nhev=counts.H,
        nit=fitted.iterations,
        checks=Counts(f=after.f - counts.f, g=after.g - counts.g, H=after.H - counts.H),
        success=success,
        status=ending.reason.status,
        message=ending.message,
        reason=ending.reason,
        verdict=verdict,
        covariance=covariance.linearized,
        covariances=covariance,
        errors=errors,
        undetermined=undetermined,
        eliminated=eliminated,
        names=names,
        derivatives=setting.functions.source,
        costs=np.array(fitted.costs),
    )


def _end_point(fitted: Fitted, whole: FitProblem) -> tuple[FitPoint, bool]:
    """The point in all parameters with its Jacobian, if the budget allows, and whether that is finite."""
    end = fitted.at
    in_all_parameters = end.x is end.parameters
    if in_all_parameters and end.jacobian is not None and not end.borrowed:
        return end, is_finite(end.jacobian)
    at = FitPoint(end.parameters, end.parameters, end.residuals, end.cost, end.weighted)
    try:
        at = whole.evaluate(end.parameters)
        return at, bool(np.isfinite(at.cost)) and whole.linearize(at)
    except BudgetSpent:
        if end.jacobian is None or not in_all_parameters:
            return at, False
        at.jacobian, at.weighted = end.jacobian, end.weighted
        return at, True


def _second_order_part(fitted: Fitted, at: FitPoint, whole: FitProblem) -> Matrix | None:
    """That of the Hessian at the end; the last one of the iteration where all parameters have converged since."""
    if not (whole.has_curvature and fitted.success):
        return None
    known = fitted.at.second
    if known is not None and (not fitted.at.borrowed or fitted.outcome is Outcome.CONVERGED):
        return known
    return whole.curvature(at)


def _active(domain: Domain, x: Vector) -> Any:
    """scipy's ``active_mask``."""
    return np.where(x <= domain.lower, -1, np.where(x >= domain.upper, 1, 0))


def _verdict(
    whole: FitProblem, at: FitPoint, A: Any, g: Vector, S: Matrix | None, free: Mask, columns: UnitColumns | None
) -> Verdict:
    """The verdict on the cost over the free parameters, by its exact Hessian AᵀA + S."""
    if S is None:
        return unchecked("the second derivatives of the residuals are not available")
    if columns is None:
        return unchecked("every parameter is at a bound")
    place = np.ix_(free, free)
    H = A.T @ A + S
    z, slope = np.ascontiguousarray(at.x[free]), np.ascontiguousarray(g[free])
    certified = certified_minimum(columns, z, slope, H, S)
    if certified is not None:
        return certified

    def expanded(z: Vector) -> Vector:
        x = at.x.copy()
        x[free] = z
        return x

    def gradient_and_hessian(z: Vector, *, second: bool) -> tuple[Vector, Matrix]:
        found = whole.evaluate(expanded(z))
        whole.linearize(found)
        J = np.asarray(found.jacobian)
        return found.gradient[free], (J.T @ J + whole.curvature(found))[place] if second else H

    def hessian(z: Vector) -> Matrix:
        return H if np.array_equal(z, at.x[free]) else gradient_and_hessian(z, second=True)[1]

    objective = Objective(
        lambda z: whole.evaluate(expanded(z)).cost, lambda z: gradient_and_hessian(z, second=False)[0], hessian
    )
    return verdict_at(Evaluator(objective), z, at.cost, slope, factorizable=lambda: None).verdict
