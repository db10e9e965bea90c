"""What scipy's gradient methods report at a saddle, the verdict of `check_result`, and where the descent leads."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import scipy.optimize

import newtonkit
from comparisons.report.document import Table

_PLAIN = ("CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP")
_SECOND_ORDER = ("Newton-CG", "trust-constr", "dogleg", "trust-ncg", "trust-krylov", "trust-exact")
_STARTS = ((0.0, 0.0), (1.0, 0.0))


def strict_saddle(x: Any) -> Any:
    """A saddle at 0 with f = 0; minima at (0, ±√2) with f = −1. The x-axis is the stable manifold of the saddle."""
    return x[0] ** 2 - x[1] ** 2 + x[1] ** 4 / 4


@dataclass(frozen=True, slots=True)
class Claim:
    """The report of one of scipy's methods, the verdict on its point, and the end of the descent from it."""

    method: str
    start: tuple[float, float]
    result: Any
    checked: newtonkit.CheckedResult
    end: newtonkit.Result | None
    """Of `newtonkit.minimize` started at the lower point; None where there is none."""


def scipy_claims() -> list[Claim]:
    """scipy's eleven methods with gradients, with exact derivatives, at the saddle and on its stable manifold."""
    gradient, hessian = newtonkit.grad(strict_saddle), newtonkit.hessian(strict_saddle)
    claims = []
    for method in (*_PLAIN, *_SECOND_ORDER):
        for start in _STARTS:
            second = {} if method in _PLAIN else {"hess": hessian}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = scipy.optimize.minimize(strict_saddle, start, method=method, jac=gradient, **second)
            checked = newtonkit.check_result(strict_saddle, result)
            lower = checked.escape
            end = None if lower is None else newtonkit.minimize(strict_saddle, lower.x)
            claims.append(Claim(method, start, result, checked, end))
    return claims


def claims_table(claims: list[Claim]) -> Table:
    """One row for each method and start."""
    rows = []
    for claim in claims:
        checked, lower = claim.checked, claim.checked.escape
        kind = checked.verdict.kind
        point = kind if kind != "saddle" else f"saddle of index {checked.verdict.index}"
        answer = "contradicted" if checked.contradicted else "confirmed" if checked.claimed else "none made"
        down = ["–", "–", "–"]
        if lower is not None and claim.end is not None:
            end = f"{claim.end.verdict.kind} {_vector(claim.end.x)}, f = {claim.end.fun:.6g}"
            down = [_vector(lower.x), f"{lower.fun:.3g}", end]
        facts = (claim.method, _vector(claim.start), str(bool(claim.result.success)), f"{claim.result.fun:.3g}")
        rows.append([*facts, point, answer, *down])
    headings = ("method", "start", "success", "f", "verdict", "report", "lower point", "f there", "its descent ends at")
    return Table("Reports of scipy's methods on x² − y² + y⁴/4", headings, rows, text=range(len(headings)))


def _vector(x: Any) -> str:
    return "(" + ", ".join(f"{float(t) + 0.0:.4g}" for t in x) + ")"
