"""`run`: iterate a method until the run ends; starting, continuing and ending a run in one paragraph."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from newtonkit.classification.verdict import Verdict, unchecked
from newtonkit.core.domain import Domain
from newtonkit.core.state import FIRST, BudgetSpent, State
from newtonkit.core.termination import Kind, Termination, TerminationReason, from_exception
from newtonkit.derivatives.autograd.hints import explain_length
from newtonkit.driver.advice import advise
from newtonkit.driver.convergence import Evidence, decide
from newtonkit.driver.history import History, Progress
from newtonkit.driver.method import Method
from newtonkit.driver.reproducibility import REPEATS, is_same
from newtonkit.driver.result import Result
from newtonkit.driver.session import Callback, Session
from newtonkit.driver.stopping import Stop
from newtonkit.driver.user_units import user_state, user_termination, user_verdict
from newtonkit.evaluation.first_order import Observer
from newtonkit.linalg.kernels import EPS, all_finite
from newtonkit.objectives.objective import Objective

_CONVERGED_AT_POINT = frozenset(
    {TerminationReason.GRADIENT, TerminationReason.PRECISION, TerminationReason.STALLED}
)  # reasons that describe the last point, and so not a lower one that is returned


def run(
    method: Method,
    objective: Objective,
    x0: ArrayLike,
    stop: Stop,
    *,
    callback: Callback | None = None,
    history: History | None = None,
    progress: Progress | None = None,
    check: bool | str = True,
    fallbacks: Sequence[Method] = (),
    earlier: Result | None = None,
    observer: Observer | None = None,
    domain: Domain | None = None,
) -> Result:
    """Iterate until a tolerance, a budget, the callback or a failure ends the run; every outcome is a Result.

    Parameters
    ----------
    method : Method
    objective : Objective
    x0 : array_like, shape (n,)
    stop : Stop
    callback : callable, optional
        callback(state, nit), called on every state but the first; true stops the run.
    history : History, optional
        Filled with one row per state.
    progress : Progress, optional
    check : bool or "thorough", default True
        Whether claims of convergence are checked by curvature; "thorough": at whatever cost.
    fallbacks : sequence of Method
        If the method fails, each in turn starts from the best point, on the same budget and the same counts.
    earlier : Result, optional
        Resume from its last state, counts included, in place of x0.
    observer : callable, optional
        Called with every evaluation that is counted; see `newtonkit.Evaluator`.
    domain : Domain, optional
        Where x may lie; x0 must lie in it. Default: anywhere.

    Raises
    ------
    ValueError
        If x0 is not a vector.
    BaseException
        Whatever user code raised, with the Result so far attached as ``partial_result``.

    Examples
    --------
    >>> import newtonkit
    >>> objective = newtonkit.Objective(lambda x: (x[0] - 1) ** 2)
    >>> newtonkit.run(newtonkit.BFGS(), objective, [3.0], newtonkit.Stop(gtol=1e-8)).success
    True
    """
    start = np.array(x0, dtype=np.float64, ndmin=1)
    if start.ndim != 1:
        raise ValueError(f"x0 must be a vector, not an array of shape {start.shape}; minimize accepts any shape")
    session = Session(method, objective, start, stop, callback, history, progress, check, fallbacks, observer, domain)
    try:
        session.start() if earlier is None else session.resume(earlier)
        termination = session.solve()
        while session.leave_saddle(termination) or session.switch_method(termination) or session.restart(termination):
            termination = session.solve()
        with np.errstate(all="ignore"):
            result = _finish(session, termination)
    except BaseException as error:
        _attach_partial_result(session, error)
        raise
    if progress is not None:
        progress.close(result.message if "rounds" not in result else f"{result.message}\n{result.rounds}")
    return result


def _finish(session: Session, termination: Termination) -> Result:
    """Choose the point to return, evaluate f there once more, decide for the last time, build the Result."""
    if termination.reason.kind is Kind.BUDGET:  # a claim that was refused earlier may hold by now
        termination = session.decide(termination) or termination
    state = _select_solution(session)
    if state is not session.state and session.first is not None and termination.reason in _CONVERGED_AT_POINT:
        detail = f"a lower point, f = {state.f:.6g}, was found before and is returned"
        lower = Termination(TerminationReason.NOT_CRITICAL, termination.measured, detail=detail)
        termination = session.decide(lower, state) or lower
    fun = session.evaluator.recheck(state.x, state.f)
    f_start = math.nan if session.first is None else session.first.f
    repeated = () if is_same(fun, state.f, f_start) else session.evaluator.repeat(state.x, REPEATS)
    evidence = Evidence(f=state.f, f_start=f_start, plain_value=fun, repeated_values=repeated)
    termination = decide(termination, evidence) or termination
    # a run that ended at a saddle is judged by its end, though a lower point may be returned
    ended_at = session.state if termination.reason is TerminationReason.SADDLE and session.state is not None else state
    verdict = session.examiner.final_verdict(ended_at, termination)
    termination = decide(termination, evidence._replace(verdict=verdict)) or termination
    return _build_result(session, termination, state, fun, verdict)


def _select_solution(session: Session) -> State:
    """Return the last state, or the best point if its f is lower by more than rounding; with its gradient."""
    state, best = session.state, session.best_state()
    if best is None:
        return state or session.unknown_state()
    if state is not None and math.isfinite(state.f) and state.f - best.f <= 10 * EPS * abs(state.f):
        return state
    if not all_finite(best.g):
        try:
            with session.evaluator.checking(), np.errstate(all="ignore"):
                best = State(best.x, best.f, session.evaluator.gradient(best.x), FIRST)
        except BudgetSpent:
            pass
    return best


def _attach_partial_result(session: Session, error: BaseException) -> None:
    """Attach the Result so far to an exception from user code; nothing more is evaluated."""
    if session.state is None:
        explain_length(error, session.x0.size)
    best = session.best_state() or session.unknown_state()
    verdict = unchecked("an exception ended the run")
    try:
        error.partial_result = _build_result(session, from_exception(error), best, best.f, verdict)  # type: ignore[attr-defined]
    except AttributeError:
        error.add_note("(no partial result: this exception accepts no attributes)")


def _build_result(session: Session, termination: Termination, state: State, fun: float, verdict: Verdict) -> Result:
    """Return the Result, under the names that scipy uses."""
    evaluator, counts = session.evaluator, session.evaluator.counts
    own_gradient = evaluator.objective.has_own_derivatives
    termination = advise(termination, session.method, state.x.size, own_gradient=own_gradient)
    scale, solution = evaluator.scale, state
    if scale != 1.0:
        solution, fun = user_state(state, scale), fun / scale
        termination, verdict = user_termination(termination, scale), user_verdict(verdict, scale)
    result = Result(
        x=state.x.copy(),
        fun=fun,
        jac=solution.g.copy(),
        success=termination.reason.kind is Kind.CONVERGED,
        status=termination.reason.status,
        message=_in_domain(termination.message, evaluator.domain),
        reason=termination.reason,
        verdict=verdict,
        nit=session.nit,
        nfev=counts.f,
        njev=counts.g,
        nhev=counts.H,
        nhvp=counts.Hv,
        checks=evaluator.check_counts,
        method=session.method.name,
        choice="; ".join(session.log),
        derivatives=evaluator.objective.derivative_source,
        history=session.history,
        start=session.first,
        state=copy.deepcopy(session.state) if session.user_holds_state else session.state,
        elapsed=evaluator.elapsed(),
        scale=scale,
    )
    if evaluator.rounds is not None:
        result.rounds = evaluator.rounds
    H = evaluator.known_hessian(state.x)
    if H is not None:
        result.hess = H / scale
    hess_inv = session.method.inverse_hessian(state) if state is session.method_state else None
    if hess_inv is not None:
        result.hess_inv = hess_inv * scale
    return result


def _in_domain(message: str, domain: Domain) -> str:
    """Name the measure of criticality that was tested: in a box it is that of the projected gradient."""
    return message.replace("‖g‖∞", "‖P(x − g) − x‖∞") if domain.is_bounded else message
