"""The protocol of derivative sources, and the registry of their names.

A source is made once for a function and its arguments, and may hold what all runs share, such as tapes. It is bound
once for each run, to the run's counted call and to its domain.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import scipy.sparse as sp

from newtonkit.core.counts import Counts
from newtonkit.core.domain import Domain
from newtonkit.core.validation import check_choice
from newtonkit.derivatives.gradient_differences import CENTRAL_ERROR, central_product
from newtonkit.derivatives.linearization import Linearization
from newtonkit.linalg.kernels import EPS, Matrix, Vector

Call = Callable[[Vector], float]
EXACT_ERROR = 10 * EPS
"""Relative error of an exact Hessian, per row; our choice."""

_COSTS = {
    "value": Counts(f=1),
    "gradient": Counts(g=1),
    "value_and_gradient": Counts(f=1, g=1),
    "hessian": Counts(H=1),
    "product": Counts(Hv=1),
}


class Product(NamedTuple):
    """The map v ↦ ∇²f(x)·v at one point, and what it costs in calls of the user's gradient."""

    times: Callable[[Vector], Vector]
    gradients_each: int
    """For every product."""
    gradients_spent: int
    """For making the map."""


class DerivativeSource(Protocol):
    """Where derivatives come from. Required: ``value`` and ``value_and_gradient``; the rest has defaults.

    ``capabilities`` names what else a source provides: "linearize", "hessian", "jacobian", "hessian_pattern",
    "error_bars", "graph".
    """

    capabilities: frozenset[str]
    rounds: Any = None
    """What a sum over partitions has communicated in this run; None for other sources."""
    counts_calls: bool = False
    """Whether every value that it needs is a call of the function, which counts as one; False: a request counts."""

    @property
    def description(self) -> str:
        """Where the last derivatives came from, and why."""

    def value(self, x: Vector) -> float:
        """Return f(x)."""

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return f(x) and ∇f(x)."""

    def gradient(self, x: Vector) -> Vector:
        """Return ∇f(x)."""
        return self.value_and_gradient(x)[1]

    def bind(self, call: Call, domain: Domain) -> DerivativeSource:
        """Return the source for one run, which evaluates f by ``call`` and only at points of the domain."""
        return self

    def with_args(self, args: tuple[Any, ...]) -> DerivativeSource:
        """Return the source of the same function for other arguments; what was recorded or compiled is shared."""
        raise TypeError("this source of derivatives is made for the arguments that it has")

    def prepare(self, x: Vector, *, second_order: bool) -> None:
        """Record or compile now what later requests use, so that all of them have the same rounding errors."""
        return

    def plain(self, fun: Callable[..., Any]) -> Callable[..., Any]:
        """Return fun as a function of a numpy array x, for plain calls; fun may expect arrays of another library."""
        return fun

    def cost(self, kind: str, n: int) -> Counts:
        """Return the evaluations that a request takes at most; kind is "value", "gradient", "hessian", "product", …"""
        return _COSTS[kind]

    def linearize(self, x: Vector) -> Linearization | None:
        """Return f, ∇f and v ↦ ∇²f·v; None if it cannot."""
        return None

    def hessian(self, x: Vector) -> Matrix | sp.csc_array | None:
        """Return ∇²f(x) at once; None if it comes from products."""
        return None

    def product(self, x: Vector, scale: float) -> Product:
        """Return v ↦ ∇²f(x)·v if `linearize` cannot; ``scale`` is the length that counts as large in x.

        Default: central differences of the gradient.
        """
        return Product(lambda v: central_product(self.gradient, x, v, scale), 2, 0)

    def pattern(self, x: Vector) -> tuple[sp.csc_array | None, str]:
        """Return the non-zeros of the Hessian near x; None and the reason if they are too many or not known."""
        return None, "this source of derivatives knows no sparsity pattern"

    def products_for_hessian(self, n: int) -> int:
        """Return the number of products that a Hessian takes."""
        return n

    def sparse_hessian(self, x: Vector, linearize: Callable[[Vector], Linearization | None]) -> sp.csc_array:
        """Return ∇²f(x) from products of ``linearize(x)``; only after `pattern` has found one."""
        return sp.csc_array(self.hessian(x))

    def verify(self, x: Vector, g: Vector) -> bool | None:
        """Return whether g is right, by a source that is always right; None if there is no such source."""
        return None

    def gradient_error(self, x: Vector, g: Vector) -> float:
        """Return a bound on the error of g at x in the maximum norm; 0 for exact derivatives."""
        return 0.0

    @property
    def value_noise(self) -> float:
        """The noise of f as it was measured last; 0 if it was not measured."""
        return 0.0

    @property
    def gradient_noise(self) -> float:
        """The part of the last gradient's error that differs between two evaluations at one point."""
        return 0.0

    @property
    def hessian_error(self) -> float:
        """The relative error of the last Hessian."""
        return EXACT_ERROR if "linearize" in self.capabilities else CENTRAL_ERROR


Factory = Callable[[Callable[..., Any], tuple[Any, ...]], DerivativeSource]

# "module:attribute" is imported when the source is used first
_FACTORIES: dict[str, Factory | str] = {
    "tape": "newtonkit.derivatives.tape.source:TapeSource",
    "autograd": "newtonkit.derivatives.tape.source:AutogradSource",
    "differences": "newtonkit.derivatives.differences:CentralDifferences",
    "3-point": "newtonkit.derivatives.differences:CentralDifferences",
    "2-point": "newtonkit.derivatives.differences:ForwardDifferences",
    "jax": "newtonkit.derivatives.jax_source:JaxSource",
    "torch": "newtonkit.derivatives.torch_source:TorchSource",
}


def register_source(name: str, factory: Factory | str) -> None:
    """Make a source known under a name.

    Parameters
    ----------
    name : str
        For the keyword ``derivatives`` of `newtonkit.minimize`.
    factory : callable or str
        factory(fun, args) returns a DerivativeSource; or "module:attribute", which is imported when it is used first.
    """
    _FACTORIES[name] = factory


def check_source(name: object) -> None:
    """Raise ValueError, with the nearest valid name, unless a source has this name."""
    check_choice("derivatives", name, _FACTORIES)


def make_source(name: str, fun: Callable[..., Any], args: tuple[Any, ...] = ()) -> DerivativeSource:
    """Return the source of this name for fun(x, \\*args).

    Raises
    ------
    ValueError
        If the name is not known, with the nearest that is.
    """
    check_source(name)
    factory = _FACTORIES[name]
    if isinstance(factory, str):
        module, _, attribute = factory.partition(":")
        factory = _FACTORIES[name] = getattr(import_module(module), attribute)
    source: DerivativeSource = factory(fun, args)
    return source
