"""The outcome of a run: Result, a scipy OptimizeResult with the reason of the termination and a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import OptimizeResult

from newtonkit.core.html_table import html_table
from newtonkit.core.plain_data import plain
from newtonkit.derivatives.pytree import flatten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# what `Result.to_json` leaves out: internal states, matrices, and objects without a plain form
_NOT_WRITTEN = ("state", "start", "hess", "hess_inv", "history", "verdict", "reason", "last", "rounds")


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

    Examples
    --------
    >>> import newtonkit
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2, [0.0])
    >>> result.success, result.reason.name, result.verdict.kind
    (True, 'GRADIENT', 'minimum')
    """

    def __repr__(self) -> str:
        if "reason" not in self:
            return str(super().__repr__())
        title, facts = self._facts()
        return "\n".join([title, *(f"{name:>9}: {text}" for name, text in facts)])

    __str__ = __repr__

    def _repr_html_(self) -> str:
        if "reason" not in self:
            return html_table("Result", (), [(str(key), str(value)) for key, value in self.items()])
        title, facts = self._facts()
        return html_table(title, (), facts)

    def _facts(self) -> tuple[str, list[tuple[str, str]]]:
        """The title, and pairs of a name and a text."""
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
        facts = [
            ("message", self.message),
            ("fun", f"{self.fun:.10g}"),
            ("x", x),
            ("verdict", str(self.verdict)),
            ("used", ", ".join(used)),
        ]
        if self.choice:
            facts.insert(0, ("method", self.choice))
        if "(no tape" in self.derivatives or "disagreed" in self.derivatives:
            facts.append(("slower", f"derivatives by {self.derivatives}"))
        return f"Result of {self.method}: {mark} ({self.reason.name})", facts

    def plot(self, fun: Callable[..., Any] | None = None) -> Figure:
        """Draw the convergence of the run, or its path over the contours of a function of two variables.

        Parameters
        ----------
        fun : callable, optional
            The function that was minimized, with its arguments bound, if n = 2: the path is drawn over its contours.
            The run must have recorded its points: ``options={"history": "points"}``.

        Returns
        -------
        matplotlib Figure

        Raises
        ------
        ValueError
            If the run has no history, or fun is given and the history has no points or n is not 2.

        Examples
        --------
        >>> import newtonkit
        >>> f = lambda x: (x[0] - 1) ** 2 + 4 * x[1] ** 2
        >>> figure = newtonkit.minimize(f, [3.0, 1.0], options={"history": "points"}).plot(f)
        """
        if self.get("history") is None:
            raise ValueError("the run has no history; it is recorded unless options={'history': False}")
        if fun is None:
            drawn: Figure = self.history.plot()
            return drawn
        from newtonkit.plots.run_path import plot_path

        return plot_path(fun, self.history.x)

    def to_json(self) -> str:
        """The result as JSON text, without matrices and internal states.

        Arrays are lists, structures of arrays keep their structure, and numbers that are not finite are the strings
        "nan", "inf" and "-inf". The history, if there is one, is an object of columns.

        Examples
        --------
        >>> import json, newtonkit
        >>> record = json.loads(newtonkit.minimize(lambda x: ((x - 1) ** 2).sum(), [3.0], method="newton").to_json())
        >>> record["x"], record["reason"], record["verdict"]["kind"], record["history"]["f"]
        ([1.0], 'GRADIENT', 'minimum', [4.0, 0.0])
        """
        record = {key: plain(value) for key, value in self.items() if key not in _NOT_WRITTEN}
        if "reason" in self:
            record["reason"] = self.reason.name
        if "verdict" in self:
            record["verdict"] = plain(self.verdict)
        if (columns := getattr(self.get("history"), "columns", None)) is not None:
            record["history"] = plain(columns())
        return json.dumps(record, ensure_ascii=False, allow_nan=False)
