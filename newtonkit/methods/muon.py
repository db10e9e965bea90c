"""Muon: orthogonalized momentum for matrix parameters, Adam for the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.schedules import Rate
from newtonkit.methods.transforms.composition import FirstOrderRule
from newtonkit.methods.transforms.learning_rate import scale_by_learning_rate
from newtonkit.methods.transforms.orthogonal_momentum import scale_by_muon
from newtonkit.methods.transforms.weight_decay import add_weight_decay


@dataclass(frozen=True)
class Muon(FirstOrderRule):
    """θ ← θ − η(O + λθ), with O the orthogonalized momentum of `newtonkit.scale_by_muon`.

    With bounds, each new point is projected onto the box.

    Parameters
    ----------
    rate : float or schedule, default 1e-3
        η.
    shapes : tuple of tuples of int
        The shapes of the parameters, ``newtonkit.leaf_shapes(params)``.
    decay : float in [0, 1), default 0.95
        γ, the decay of the momentum.
    weight_decay : float, at least 0, default 0
        λ.

    References
    ----------
    Jordan et al. (2024), *Muon: An optimizer for hidden layers in neural networks*, kellerjordan.github.io/posts/muon.
    Liu et al. (2025), *Muon is Scalable for LLM Training*, arXiv:2502.16982, section 2.2.

    Examples
    --------
    >>> import autograd.numpy as np, newtonkit as nk
    >>> params = {"W": np.ones((3, 2)), "b": np.zeros(2)}
    >>> x = np.random.default_rng(0).standard_normal((40, 3))
    >>> def loss(p, batch):
    ...     return np.mean((batch @ p["W"] + p["b"]) ** 2)
    >>> method = nk.Muon(rate=nk.Linear(0.3, horizon=100), shapes=nk.leaf_shapes(params))
    >>> result = nk.train(loss, params, x, method, epochs=100)
    >>> bool(result.fun < 1e-3 * result.history.full_loss[0])
    True
    """

    rate: Rate = 1e-3
    shapes: tuple[tuple[int, ...], ...] = ()
    decay: float = 0.95
    weight_decay: float = 0.0

    name: ClassVar[str] = "muon"

    def compose(self) -> tuple[GradientTransform, ...]:
        """The orthogonalized momentum, the weight decay, the learning rate."""
        decay = (add_weight_decay(self.weight_decay),) if self.weight_decay != 0.0 else ()
        return scale_by_muon(self.shapes, self.decay), *decay, scale_by_learning_rate(self.rate)
