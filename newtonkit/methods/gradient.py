"""Gradient descent, momentum and Nesterov momentum: one learning rate for all coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from newtonkit.core.validation import check_choice
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.transforms.composition import FirstOrderRule
from newtonkit.methods.transforms.learning_rate import scale_by_learning_rate
from newtonkit.methods.transforms.momentum import trace


@dataclass(frozen=True)
class GradientDescent(FirstOrderRule):
    """θ ← θ − ηg.

    With bounds, each new point is projected onto the box.

    Parameters
    ----------
    rate : float or schedule, default 0.01
        η; on a quadratic it converges for η < 2/λ_max.

    References
    ----------
    Cauchy (1847); Nocedal & Wright (2006), theorem 3.3 (its rate of convergence).

    Examples
    --------
    >>> import newtonkit
    >>> newtonkit.minimize(lambda x: (x**2).sum(), [1.0, 2.0], method=GradientDescent(rate=0.5)).nit
    1
    """

    name: ClassVar[str] = "gd"

    def compose(self) -> tuple[GradientTransform, ...]:
        """The learning rate."""
        return (scale_by_learning_rate(self.rate),)


@dataclass(frozen=True)
class Momentum(FirstOrderRule):
    """Gradient descent with a velocity, in one of three forms.

    "classical": v ← γv − ηg, θ ← θ + v; "second": v ← γv + g, θ ← θ − ηv; "average": v ← γv + (1−γ)g, θ ← θ − ηv. With
    a constant rate the first two give the same points, and the third gives those of the rate (1−γ)η.

    With bounds, each new point is projected onto the box.

    Parameters
    ----------
    rate : float or schedule, default 0.01
        η.
    decay : float in [0, 1), default 0.9
        γ, called ρ or β in the other forms.
    form : {"classical", "second", "average"}, default "classical"

    References
    ----------
    Polyak (1964), USSR Comput. Math. Math. Phys. 4(5), 1.

    Examples
    --------
    >>> import newtonkit
    >>> method = newtonkit.Momentum(rate=0.05)
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 1e-3)
    True
    """

    decay: float = 0.9
    form: Literal["classical", "second", "average"] = "classical"

    name: ClassVar[str] = "momentum"

    def compose(self) -> tuple[GradientTransform, ...]:
        """The trace of steps ("classical"), or of gradients."""
        check_choice("form", self.form, ("classical", "second", "average"))
        rate = scale_by_learning_rate(self.rate)
        if self.form == "classical":
            return rate, trace(self.decay)
        return trace(self.decay, 1.0 if self.form == "second" else 1.0 - self.decay), rate


@dataclass(frozen=True)
class Nesterov(FirstOrderRule):
    """v ← γv − η∇J(θ + γv), θ ← θ + v: momentum with the gradient at the look-ahead point.

    With bounds, each new point is projected onto the box.

    Parameters
    ----------
    rate : float or schedule, default 0.01
        η.
    decay : float in [0, 1), default 0.9
        γ.

    References
    ----------
    Nesterov (1983), Soviet Math. Dokl. 27, 372; in this form Sutskever, Martens, Dahl & Hinton (2013), eq. 3-4.

    Examples
    --------
    >>> import newtonkit
    >>> method = newtonkit.Nesterov(rate=0.05)
    >>> result = newtonkit.minimize(lambda x: (x[0] - 1) ** 2 + 2 * x[1] ** 2, [3.0, 1.0], method=method)
    >>> bool(result.fun < 1e-3)
    True
    """

    decay: float = 0.9

    name: ClassVar[str] = "nesterov"

    def compose(self) -> tuple[GradientTransform, ...]:
        """The trace of steps, with the gradient at the look-ahead point."""
        return scale_by_learning_rate(self.rate), trace(self.decay, form="lookahead")
