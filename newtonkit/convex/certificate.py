"""What is proved of a function: its convexity, the moduli, the set on which it holds, and a bound on f(x) − inf f."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from newtonkit.convex.curvature import Curvature
from newtonkit.convex.graph import Graph
from newtonkit.linalg.kernels import Vector

ROUNDING = (
    1e-12  # relative; sums of positive moduli over up to 1e9 terms, taken pairwise, lose less (Higham, 2002, ch. 4)
)


@dataclass(frozen=True)
class Convexity:
    """What the recorded graph of a function proves.

    Attributes
    ----------
    kind : {"convex", "strongly convex", "unknown"}
    mu : float
        Modulus μ of strong convexity: ∇²f ⪰ μI on the domain; 0 where none is proved.
    moduli : ndarray, shape (n,)
        m ≥ 0 with ∇²f ⪰ diag(m) on the domain; zeros where nothing is proved.
    domain : str
        The convex set on which this holds: "all x", or conditions on x.
    lower_bound : float
        A number that f does not fall below on the domain; −∞ where none is known.
    tree : str
        The calls of the graph with the curvature of each and the rule that gave it; or the reason for "unknown".

    Examples
    --------
    >>> import newtonkit
    >>> fact = newtonkit.convexity(lambda x: (x**2).sum(), [0.0, 0.0])
    >>> fact.kind, round(fact.mu, 6)
    ('strongly convex', 2.0)
    """

    kind: str
    mu: float
    moduli: Vector
    domain: str
    lower_bound: float
    tree: str = field(repr=False)

    @property
    def convex(self) -> bool:
        """Whether f is proved convex."""
        return self.kind != "unknown"

    def gap(self, gradient: Vector, error: Vector | float = 0.0) -> float:
        """A bound on f(x) − inf f over the domain, from the gradient at x; infinite where none is known.

        f(y) ≥ f(x) + gᵀ(y − x) + ½Σ mᵢ(yᵢ − xᵢ)² for every y, whose minimum over y is f(x) − Σ gᵢ²/(2mᵢ).

        Parameters
        ----------
        gradient : ndarray, shape (n,)
            ∇f(x).
        error : float or ndarray, shape (n,), default 0
            Error bar of the gradient's entries, added to |g|.
        """
        if not self.convex:
            return math.inf
        g = np.abs(gradient) + error
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(g == 0.0, 0.0, g * g / (2.0 * self.moduli))
        return float(np.sum(terms)) * (1.0 + ROUNDING)

    def __str__(self) -> str:
        if not self.convex:
            return f"unknown: {self.tree}"
        modulus = f" with modulus {self.mu:.3g}" if self.mu > 0.0 else ""
        return f"{self.kind}{modulus} on {self.domain}"


def certificate(graph: Graph, n: int) -> Convexity:
    """The statement that a graph proves."""
    result = graph.result
    domain = "the set where " + ", and ".join(graph.conditions) if graph.conditions else "all x"
    zeros = np.zeros(n)
    if not result.curvature.is_convex:
        reason = f"the result is {_first_unknown(graph)}"
        return Convexity("unknown", 0.0, zeros, domain, result.range.lo, f"{reason}\n{tree(graph)}")
    moduli = zeros
    if result.rest is Curvature.CONVEX:
        # atoms with positive coefficients are convex, so they take nothing away
        moduli = np.broadcast_to(result.moduli, (n,)) * (1.0 - ROUNDING)
    mu = float(moduli.min())
    kind = "strongly convex" if mu > 0.0 else "convex"
    return Convexity(kind, max(mu, 0.0), np.array(moduli), domain, result.range.lo, tree(graph))


def _first_unknown(graph: Graph) -> str:
    """The curvature of the result, and the first call whose curvature is not known from operands that are."""
    curvature = graph.result.curvature
    if curvature is not Curvature.UNKNOWN:
        return str(curvature.value)
    for step in graph.steps:
        known = all(i < 0 or graph.steps[i].fact.curvature is not Curvature.UNKNOWN for i in step.operands)
        if step.fact.curvature is Curvature.UNKNOWN and step.fact.comparison is None and known:
            operands = ", ".join("x" if i < 0 else graph.steps[i].fact.curvature.value for i in step.operands)
            return f"unknown: no rule for {step.name} of ({operands})"
    return "unknown"


_MOST_LINES = 40


def tree(graph: Graph, most: int = _MOST_LINES) -> str:
    """The calls as an indented tree, the result first; a call that was printed before is named by its number."""
    lines: list[str] = []
    printed: set[int] = set()

    def show(number: int, depth: int) -> None:
        if len(lines) >= most:
            return
        indent = "  " * depth
        if number < 0:
            lines.append(f"{indent}x: affine")
            return
        step = graph.steps[number]
        if number in printed:
            lines.append(f"{indent}{step.name} [{number}], as above")
            return
        printed.add(number)
        rule = f" ({step.fact.rule})" if step.fact.rule else ""
        lines.append(f"{indent}{step.name} [{number}]: {step.fact.curvature.value}{rule}")
        for operand in step.operands:
            show(operand, depth + 1)

    if graph.steps:
        show(len(graph.steps) - 1, 0)
    if len(lines) >= most:
        lines.append("…")
    return "\n".join(lines)
