"""Composition of gradient transforms: `chain`, and the base of the named rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from newtonkit.linalg.kernels import Vector
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.schedules import Rate


class Composition(GradientTransform):
    """Transforms applied in order: each receives the output of the one before it.

    The state is the tuple of their states.
    """

    transforms: tuple[GradientTransform, ...]

    @property
    def learning_rate(self) -> Rate | None:
        """The learning rate of the first transform that has one."""
        return next((each.learning_rate for each in self.transforms if each.learning_rate is not None), None)

    @property
    def needs_second_gradient(self) -> bool:
        """Whether the first transform needs a second gradient."""
        return self.transforms[0].needs_second_gradient

    def init(self, n: int) -> tuple[Any, ...]:
        """The states of the transforms."""
        return tuple([each.init(n) for each in self.transforms])

    def update(self, g: Vector, state: tuple[Any, ...], x: Vector) -> tuple[Vector, tuple[Any, ...]]:
        """Apply the transforms in order."""
        following = []
        for each, its_state in zip(self.transforms, state, strict=True):
            g, its_state = each.update(g, its_state, x)
            following.append(its_state)
        return g, tuple(following)

    def lookahead(self, state: tuple[Any, ...]) -> Vector | None:
        """The look-ahead of the last transform, whose output is the step."""
        return self.transforms[-1].lookahead(state[-1])

    def observe(self, g: Vector, state: tuple[Any, ...], x: Vector) -> tuple[Any, ...]:
        """Pass the gradient to the first transform, which receives gradients unchanged."""
        return (self.transforms[0].observe(g, state[0], x), *state[1:])


class chain(Composition):  # noqa: N801  # used as a function, like functools.partial
    """A composition of transforms, applied in order.

    Parameters
    ----------
    *transforms : GradientTransform
        At least one. A complete first-order rule, such as ``Adam(rate=0.1)``, is a transform too.

    Raises
    ------
    TypeError
        If an argument is not a transform.
    ValueError
        If there is no transform; if one that looks ahead (`Nesterov`) is not the last, since later transforms would
        change the step that it anticipates; or if one that needs a second gradient (`SampledLBFGS`) is not the first.

    Examples
    --------
    >>> import newtonkit as nk
    >>> method = nk.chain(nk.clip_by_norm(1.0), nk.trace(0.9), nk.scale_by_learning_rate(0.05))
    >>> nk.minimize(lambda x: (x**2).sum(), [3.0, 4.0], method=method).success
    True
    """

    def __init__(self, *transforms: GradientTransform) -> None:
        _check_order(transforms)
        self.transforms = transforms

    @property
    def name(self) -> str:
        """For instance "chain(clip_by_norm, adam)"."""
        return f"chain({', '.join(each.name for each in self.transforms)})"

    def __repr__(self) -> str:
        return f"chain({', '.join(map(repr, self.transforms))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, chain) and self.transforms == other.transforms

    def __hash__(self) -> int:
        return hash(self.transforms)


def _check_order(transforms: tuple[GradientTransform, ...]) -> None:
    """Raise unless these transforms can be composed in this order."""
    if not transforms:
        raise ValueError("chain needs at least one transform, such as newtonkit.scale_by_learning_rate(0.1)")
    for each in transforms:
        if isinstance(each, type):
            raise TypeError(f"a transform must be an instance, got the class {each.__name__}; write {each.__name__}()")
        if not isinstance(each, GradientTransform):
            raise TypeError(f"a transform must be a newtonkit.GradientTransform, got {each!r}")
    for each in transforms[:-1]:
        if each.lookahead(each.init(1)) is not None:
            raise ValueError(f"{each.name} takes its gradient at a look-ahead point, so it must be the last transform")
    for each in transforms[1:]:
        if each.needs_second_gradient:
            raise ValueError(f"{each.name} needs a second gradient, so it must be the first transform")


@dataclass(frozen=True)
class FirstOrderRule(Composition):
    """Base of the named rules: a composition with options and a learning rate. Subclasses define `compose`.

    Parameters
    ----------
    rate : float, positive, or schedule
        Learning rate η, or a schedule η(t) of the number of the update, t = 1, 2, …
    """

    rate: Rate = 0.01

    name: ClassVar[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "transforms", self.compose())

    def compose(self) -> tuple[GradientTransform, ...]:
        """The transforms that make up the rule; they check the options."""
        raise NotImplementedError
