"""One sentence of advice for each reason that fits the method that ran and the problem."""

from __future__ import annotations

from newtonkit.core.termination import Termination, TerminationReason
from newtonkit.driver.method import Method, models_curvature, wants_curvature

_FULL_MATRIX = 1000  # up to this n a method with an n×n matrix is recommended; as in `newtonkit.automatic`
_SMOOTH = "a smooth f is required: replace the kink by a smooth function."


def advise(termination: Termination, method: Method, n: int, *, own_gradient: bool) -> Termination:
    """Return the termination with its advice.

    Parameters
    ----------
    termination : Termination
        One that has advice already is returned unchanged.
    method : Method
        The method that ran.
    n : int
        The number of variables.
    own_gradient : bool
        Whether the user gave the gradient.
    """
    if termination.advice:
        return termination
    chosen = _ADVICE.get(termination.reason)
    return termination if chosen is None else termination._replace(advice=chosen(termination, method, n, own_gradient))


def _saddle(termination: Termination, method: Method, n: int, own_gradient: bool) -> str:
    if method.escapes:
        return "no lower point was found along its descent directions within the limits; start from another point."
    better = "newton" if n <= _FULL_MATRIX and not own_gradient else "lbfgs"
    return f"start from another point, or use a method that leaves saddles, such as {better!r}."


def _non_finite(termination: Termination, method: Method, n: int, own_gradient: bool) -> str:
    at_start = "x0" in termination.detail or "starting point" in termination.detail
    if not at_start and not method.escapes:
        if wants_curvature(method):
            return "full Newton steps may diverge; use method='newton', which limits their length."
        return "the iteration diverges or leaves the domain of f; use a smaller learning rate."
    if "of the gradient are not finite" in termination.detail:
        if own_gradient:
            return "check jac there with newtonkit.check_derivatives."
        return (
            "automatic differentiation gives NaN for a branch of np.where that is not chosen, for sqrt or norm at 0, "
            "for log of 0: write f without these there, or give jac."
        )
    if "Hessian" in termination.detail:
        return "start where the Hessian is finite, or use a method without Hessians, such as 'lbfgs'."
    return "start where f and its gradient are finite."


def _no_step(termination: Termination, method: Method, n: int, own_gradient: bool) -> str:
    if "a kink" in termination.detail:
        return _SMOOTH
    if own_gradient:
        return "newtonkit.check_derivatives distinguishes a wrong gradient from a function that is noisy or has kinks."
    return "newtonkit.check_derivatives shows whether f is noisy or has a kink here."


def _not_descent(termination: Termination, method: Method, n: int, own_gradient: bool) -> str:
    check = ", or check the gradient with newtonkit.check_derivatives" if own_gradient else ""
    return f"multiply f by a constant if its values are tiny{check}."


def _singular(termination: Termination, method: Method, n: int, own_gradient: bool) -> str:
    better = "newton" if n <= _FULL_MATRIX and method.name != "newton" else "newton-cg"
    better = "lbfgs" if method.name == better else better
    return f"use method={better!r}, which is safe at singular Hessians."


def _no_progress(termination: Termination, method: Method, n: int, own_gradient: bool) -> str:
    if "a kink" in termination.detail:
        return _SMOOTH
    if "slope" in termination.detail:
        return "check the gradient with newtonkit.check_derivatives."
    if not termination.detail:
        return "rescale the variables if their units differ, or check f for noise with newtonkit.check_derivatives."
    if hasattr(method, "scaling"):
        return "rescale the variables, or give their typical sizes by options={'scaling': sizes}."
    if own_gradient or n > _FULL_MATRIX:
        return "rescale the variables."
    return "rescale the variables, or use method='newton'."


def _iterations(termination: Termination, method: Method, n: int, own_gradient: bool) -> str:
    if not termination.detail:
        return termination.reason.advice
    if models_curvature(method):
        return "more iterations gain little: rescale the variables if their units differ, or start from another point."
    better = "newton" if n <= _FULL_MATRIX and not own_gradient else "lbfgs"
    return f"more iterations gain little: use a method that models curvature, such as {better!r}."


_ADVICE = {
    TerminationReason.ITERATIONS: _iterations,
    TerminationReason.SADDLE: _saddle,
    TerminationReason.NON_FINITE: _non_finite,
    TerminationReason.LINE_SEARCH: _no_step,
    TerminationReason.RADIUS: _no_step,
    TerminationReason.NOT_DESCENT: _not_descent,
    TerminationReason.SINGULAR: _singular,
    TerminationReason.NO_PROGRESS: _no_progress,
}
