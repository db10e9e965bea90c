"""The protocol of a method: what the driver requires of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set
from typing import Any, Protocol

from newtonkit.core.state import State
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.factorization import Symmetric
from newtonkit.linalg.kernels import Vector


class Method(Protocol):
    """A method as the driver sees it; `newtonkit.methods.base.MethodBase` holds the defaults.

    Examples
    --------
    >>> import newtonkit
    >>> method: newtonkit.Method = newtonkit.BFGS()
    >>> method.name, sorted(method.needs)
    ('bfgs', ['grad'])
    """

    @property
    def name(self) -> str:
        """The name in results."""

    @property
    def needs(self) -> Set[str]:
        """The derivatives it uses: {"grad"}, {"grad", "hess"} or {"grad", "hvp"}."""

    @property
    def escapes(self) -> bool:
        """Whether the driver may leave a saddle by a step along negative curvature and restart the method there."""

    @property
    def learns_curvature(self) -> bool:
        """Whether it builds curvature from differences of gradients, as quasi-Newton methods do."""

    def init(self, evaluator: Evaluator, x0: Vector) -> Any:
        """Return the first state."""

    def step(self, evaluator: Evaluator, state: Any) -> Any:
        """Return the next state, or raise StepFailure and change nothing."""

    def factorizable_hessian(self, evaluator: Evaluator, state: State) -> Symmetric | None:
        """Return the Hessian at state.x in the form that the method factors; None if it factors none."""

    def inverse_hessian(self, state: Any) -> Any:
        """Return the approximation of (∇²f)⁻¹ at a state of this method; None if it has none."""


def as_method(method: Any) -> Method:
    """Return the method itself, or the method made from a first-order rule."""
    wrapped: Method = method.as_method() if hasattr(method, "as_method") else method
    return wrapped


def models_curvature(method: Method) -> bool:
    """Return whether it is a second-order or quasi-Newton method: a run of it without progress is ended."""
    return wants_curvature(method) or method.learns_curvature


def wants_curvature(method: Method) -> bool:
    """Return whether the method uses Hessians or Hessian-vector products."""
    return bool(method.needs & {"hess", "hvp"})


def option_names(method: Any) -> list[str]:
    """Return the names of a method's options: the fields of its dataclass, or of the first-order rule in it."""
    target = getattr(method, "rule", method)
    return [field.name for field in dataclasses.fields(target)] if dataclasses.is_dataclass(target) else []


def with_options(method: Any, options: Mapping[str, Any]) -> Method:
    """Return the method with some of its options replaced.

    Examples
    --------
    >>> import newtonkit
    >>> with_options(newtonkit.LBFGS(), {"memory": 20}).memory
    20
    """
    if not options:
        return as_method(method)
    return as_method(dataclasses.replace(getattr(method, "rule", method), **options))
