"""The outcome of a run: Result, a scipy OptimizeResult with the reason of the termination and a verdict."""

from __future__ import annotations

import numpy as np
from scipy.optimize import OptimizeResult

from newtonkit.derivatives.pytree import flatten


class Result(OptimizeResult):  # type: ignore[misc]
    """The outcome of a run: the fields of `scipy.optimize.OptimizeResult`, the reason of the termination, a verdict.

    Attributes
    ----------
    x, jac : array or structure of arrays
        The point and the gradient there, in the structure of x0. The last point, or the best one if its f is lower by
        more than rounding.
    fun : float
        The user's own function at x, called plainly.
    hess : ndarray, shape (n, n)
        The Hessian at x, if it was computed at exactly this point.
    hess_inv : ndarray, shape (n, n), or LinearOperator
        Quasi-Newton methods only: the approximation of the inverse Hessian, an operator for lbfgs; absent if a point
        other than the last one is returned.
    success : bool
        Whether the reason is a converged one and the verdict does not contradict it.
    reason : TerminationReason
    status : int
        0 for converged reasons, a positive number of its own for each other.
    message : str
        Cause, number, limit, advice.
    verdict : Verdict
        What kind of point x is.
    nit, nfev, njev, nhev, nhvp : int
        Iterations and evaluations made for the method.
    checks : Counts
        Evaluations made for the verdict and for checks; not contained in nfev, njev, nhev, nhvp.
    method, choice : str
        The method's name, and the reason for an automatic choice.
    derivatives : str
        Where they came from: "given", "tape", or "plain autograd" and why no tape.
    history : History or None
    state : State
        The last state of the method; `minimize` resumes from it if this result is passed as x0.
    start : State
        The first.
    scale : float
        The power of two that multiplied f during the run; 1 unless ‖∇f‖∞ at the start was outside [1e-50, 1e50]. f and
        g of ``state`` and ``start`` are multiplied by it; everything else is in the user's units.
    elapsed : float
        Seconds.
    rounds : Rounds
        For a `newtonkit.FiniteSum` only: how often all partitions were evaluated, with bytes and seconds.
    """

    def __repr__(self) -> str:
        if "reason" not in self:
            return str(super().__repr__())
        mark = "success" if self.success else "no success"
        x = np.array2string(flatten(self.x)[0], precision=6, threshold=8)
        x += "" if isinstance(self.x, np.ndarray) and self.x.ndim == 1 else " (flattened)"
        used = [f"{self.nit} iterations"]
        for count, word in (
            (self.nfev, "f"),
            (self.njev, "gradients"),
            (self.nhev, "Hessians"),
            (self.nhvp, "Hv products"),
        ):
            if count:
                used.append(f"{count} {word}")
        lines = [
            f"Result of {self.method}: {mark} ({self.reason.name})",
            f"  message: {self.message}",
            f"      fun: {self.fun:.10g}",
            f"        x: {x}",
            f"  verdict: {self.verdict}",
            f"     used: {', '.join(used)}",
        ]
        if self.choice:
            lines.insert(1, f"   method: {self.choice}")
        if "(no tape" in self.derivatives or "disagreed" in self.derivatives:
            lines.append(f"   slower: derivatives by {self.derivatives}")
        return "\n".join(lines)

    __str__ = __repr__
