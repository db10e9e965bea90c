"""Texts for tables, figures and captions: names of methods, labels of endings, numbers.

All of them are defined here, so that tables, figures and captions agree.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import problems
from comparisons.core.endings import Ending
from comparisons.core.runs import Run
from newtonkit.linalg.kernels import EPS
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.registry import METHODS
from problems import Problem

SECOND_ORDER, QUASI_NEWTON, FIRST_ORDER, OTHER = "second-order", "quasi-Newton", "first-order", "other solvers"
FAMILIES = (SECOND_ORDER, QUASI_NEWTON, FIRST_ORDER, OTHER)
_QUASI_NEWTON = ("bfgs", "dfp", "sr1", "lbfgs", "cg")

_LONG_NAMES = {
    "auto": "the automatic choice",
    "newton": "Newton's method with a trust region",
    "newton-cg": "truncated Newton",
    "cubic": "Newton's method with a cubic term",
    "newton-linesearch": "Newton's method with a line search",
    "newton-pure": "the pure Newton step",
    "bfgs": "BFGS",
    "dfp": "DFP",
    "sr1": "SR1",
    "lbfgs": "L-BFGS",
    "cg": "conjugate gradients",
    "gd-linesearch": "gradient descent with a line search",
    "gd": "gradient descent",
    "momentum": "momentum",
    "nesterov": "Nesterov's method",
    "adagrad": "AdaGrad",
    "rmsprop": "RMSProp",
    "adadelta": "AdaDelta",
    "adam": "Adam",
    "adamw": "AdamW",
    "nadam": "Nadam",
}

_COUNTERPARTS = {
    "scipy:BFGS": "bfgs",
    "scipy:L-BFGS-B": "lbfgs",
    "scipy:Newton-CG": "newton-cg",
    "scipy:trust-ncg": "newton-cg",
    "scipy:trust-krylov": "newton-cg",
    "scipy:trust-exact": "newton",
}

# the mark of a run that is not solved, and its meaning
MARKS: dict[Ending, tuple[str, str]] = {
    Ending.GLOBAL: ("☆", "near the lowest known minimum, accuracy not reached"),
    Ending.LOCAL: ("○", "another minimum"),
    Ending.SADDLE: ("×", "a saddle point or maximum"),
    Ending.DEGENERATE: ("+", "a degenerate critical point"),
    Ending.BUDGET: ("–", "budget spent before convergence"),
    Ending.DIVERGED: ("▼", "diverged"),
    Ending.ELSEWHERE: ("?", "stopped elsewhere"),
    Ending.SKIPPED: ("∅", "not run: the problem is too large for the method, or has no samples for mini-batches"),
}


def ending_label(run: Run, solved: bool = True) -> str:
    """Where a run ended, short enough for a table.

    Parameters
    ----------
    run : Run
    solved : bool, default True
        Whether it came as close to the lowest known minimum as required.
    """
    if run.ending is Ending.GLOBAL:
        return "lowest minimum" if solved else "near the lowest minimum"
    if run.ending is Ending.LOCAL:
        return f"minimum with f = {number(run.f if run.reached_f is None else run.reached_f)}"
    if run.ending in (Ending.SADDLE, Ending.DEGENERATE):
        return run.reached or run.verdict
    return "budget spent" if run.ending is Ending.BUDGET else str(run.ending)


def coinciding(runs: Sequence[Run]) -> list[str]:
    """A sentence for each set of methods whose curves coincide in a figure."""
    sets: list[list[Run]] = []
    for run in runs:
        same = next((members for members in sets if _same_steps(members[0], run)), None)
        if same is None:
            sets.append([run])
        else:
            same.append(run)
    return [f"{listing([r.method for r in members])} take the same steps." for members in sets if len(members) > 1]


def _same_steps(one: Run, other: Run) -> bool:
    if len(one.trace) != len(other.trace) or len(one.trace) < 2:
        return False
    scale = 1e-8 * abs(one.f_start - one.f)
    return all(abs(p.f - q.f) <= scale + 1e-6 * abs(p.f) for p, q in zip(one.trace, other.trace, strict=True))


def gap_text(run: Run) -> str:
    """f − f* as text, or a remark that it is below rounding."""
    if run.gap is not None and run.gap <= 10 * EPS * abs(run.f):
        return "f equals f* to rounding"
    return f"f − f* = {number(run.gap, 2)}"


def groups(runs: Iterable[Run]) -> dict[tuple[str, str], list[Run]]:
    """The runs by problem and start, in the order in which these first appear."""
    found: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        found.setdefault((run.problem, run.start), []).append(run)
    return found


def methods(runs: Iterable[Run]) -> list[str]:
    """The methods, each once, in the order in which they first appear."""
    return list(dict.fromkeys(run.method for run in runs))


def problem_of(run: Run) -> Problem | None:
    """The problem of a run from the catalogue; None if it is not there, or its data are not installed."""
    try:
        return problems.get(run.name, **run.parameters)
    except (ValueError, ImportError):
        return None


def counterpart(method: str) -> str:
    """Our counterpart of one of scipy's methods; of our methods the name without parameters.

    Examples
    --------
    >>> counterpart("scipy:BFGS"), counterpart("lbfgs[memory=20]")
    ('bfgs', 'lbfgs')
    """
    name = method.partition("[")[0]
    return _COUNTERPARTS.get(name, name)


def family(method: str) -> str:
    """The family of a method, one of `FAMILIES`; OTHER if newtonkit has neither the method nor a counterpart."""
    if method == "auto":
        return SECOND_ORDER
    cls = METHODS.get(counterpart(method))
    if cls is None:
        return OTHER
    if cls.name in _QUASI_NEWTON:
        return QUASI_NEWTON
    return FIRST_ORDER if issubclass(cls, GradientTransform) or not cls.needs & {"hess", "hvp"} else SECOND_ORDER


def long_name(method: str) -> str:
    """The full name of a method."""
    name, bracket, parameters = method.removeprefix("scipy:").partition("[")
    with_them = f" with {parameters.rstrip(']')}" if bracket else ""
    return (f"scipy's {name}" if method.startswith("scipy:") else _LONG_NAMES.get(name, name)) + with_them


def full_name(method: str) -> str:
    """The full name of a method, with its short name in brackets if that is not obvious."""
    name = method.partition("[")[0]
    obvious = method.startswith("scipy:") or long_name(name).replace("-", "").lower() == name
    return long_name(method) if obvious else f"{long_name(method)} ({name})"


def listing(items: Sequence[str], most: int = 6) -> str:
    """The items joined by commas and "and"; if there are more than ``most``, the number of those left out."""
    shown = list(items)
    if len(shown) > most:
        shown = [*shown[: most - 1], f"{len(shown) - most + 1} more"]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1] if shown else "none"


def number(value: float | None, digits: int = 4) -> str:
    """A number with some significant digits; a dash for None."""
    if value is None:
        return "–"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if isinstance(value, int) and abs(value) < 10**7:
        return str(value)
    mantissa, mark, exponent = f"{value:.{digits}g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if mark else mantissa


def count(how_many: int, thing: str) -> str:
    """``"1 run"``, ``"2 runs"``."""
    return f"{how_many} {thing}" if how_many == 1 else f"{how_many} {thing}s"


def times(ratio: float) -> str:
    """A ratio of costs: ``"1.3"``, ``"120"``."""
    return f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:.1f}".removesuffix(".0")
