"""The spectrum of the Hessian of a network's loss, by stochastic Lanczos quadrature: at the start and after training.

A network 64-16-10 with tanh on 1797 digits, n = 1210. For a random vector v, Lanczos' method gives Ritz values and
weights, a quadrature of the spectral density; the mean over vectors estimates the density of all eigenvalues.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import autograd.numpy as anp
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import newtonkit
from comparisons.core.labels import count, number
from comparisons.plots.style import clean_axes
from comparisons.report.document import Document, Table
from comparisons.report.files import save_figure
from newtonkit import Adam, Evaluator, Objective
from newtonkit.core.validation import check_integer
from newtonkit.derivatives.pytree import flatten
from problems import datasets
from problems.networks import Network, softmax_cross_entropy

Vector = NDArray[np.float64]

QUICK = {"probes": 1, "steps": 12, "gradients": 20}
_SIZES = (64, 16, 10)
_L2 = 1e-4  # weight of (l2/2)‖θ‖²: a shift of all eigenvalues
_RATE = 1e-2  # of Adam; not tuned, since only the spectrum at the end is compared
_SMALL = 1e-2  # eigenvalues below this share of the largest count as small


@dataclass(frozen=True)
class Spectrum:
    """A quadrature of the spectral density: Ritz values with weights that add up to 1."""

    values: Vector
    weights: Vector

    @property
    def largest(self) -> float:
        """The largest Ritz value, a lower bound of the largest eigenvalue."""
        return float(self.values.max())

    @property
    def smallest(self) -> float:
        """The smallest Ritz value, an upper bound of the smallest eigenvalue."""
        return float(self.values.min())

    @property
    def negative(self) -> float:
        """The share of eigenvalues below −10⁻⁶ of the largest."""
        return float(self.weights[self.values < -1e-6 * self.largest].sum())

    @property
    def small(self) -> float:
        """The share of eigenvalues of at most a hundredth of the largest in absolute value."""
        return float(self.weights[np.abs(self.values) <= _SMALL * self.largest].sum())

    @property
    def mean(self) -> float:
        """An estimate of the trace divided by n."""
        return float(self.weights @ self.values)


def lanczos_quadrature(
    product: Callable[[Vector], Vector], n: int, steps: int, probes: int, rng: np.random.Generator
) -> Spectrum:
    """The spectral density of a symmetric matrix, from its products.

    Parameters
    ----------
    product : callable
        v ↦ Av.
    n : int
        The order of A.
    steps : int
        Of Lanczos' method for each probe; the basis is kept orthogonal.
    probes : int
        Random vectors of signs.
    rng : numpy.random.Generator

    References
    ----------
    Golub & Meurant (2010), *Matrices, Moments and Quadrature*, ch. 6; Ubaru, Chen & Saad (2017), SIAM J. Matrix Anal.
    Appl. 38, 1075; Ghorbani, Krishnan & Xiao (2019), arXiv:1901.10159.
    """
    values, weights = [], []
    for _ in range(probes):
        ritz, vectors = np.linalg.eigh(_tridiagonal(product, rng.choice([-1.0, 1.0], n) / np.sqrt(n), min(steps, n)))
        values.append(ritz)
        weights.append(vectors[0] ** 2 / probes)
    return Spectrum(np.concatenate(values), np.concatenate(weights))


def _tridiagonal(product: Callable[[Vector], Vector], v: Vector, steps: int) -> NDArray[np.float64]:
    basis, alphas, betas = [v], [], []
    for _ in range(steps):
        w = product(basis[-1])
        alphas.append(float(w @ basis[-1]))
        for _again in range(2):  # one pass of Gram–Schmidt loses orthogonality
            w = w - np.array(basis).T @ (np.array(basis) @ w)
        beta = float(np.linalg.norm(w))
        if len(alphas) == steps or beta <= 1e-12 * max(map(abs, alphas)):
            break  # the space is invariant
        betas.append(beta)
        basis.append(w / beta)
    return np.diag(alphas) + np.diag(betas, 1) + np.diag(betas, -1)


def run(
    out: Path, *, seed: int = 0, quick: bool = False, probes: int = 6, steps: int = 80, gradients: int = 300
) -> Document:
    """The spectrum at the start, after Adam, and after L-BFGS, with the same number of gradients.

    Parameters
    ----------
    out : Path
    seed : int, default 0
        Of the network's start and the random vectors.
    quick : bool, default False
        One probe and few steps.
    probes, steps : int, at least 1, default 6 and 80
        See `lanczos_quadrature`.
    gradients : int, at least 1, default 300
        Of each training, on all data.
    """
    for name, value in (("probes", probes), ("steps", steps), ("gradients", gradients)):
        check_integer(name, value, 1)
    network, (x, labels) = Network(_SIZES, "tanh"), datasets.digits()
    one_hot = np.eye(10)[labels]
    theta, unflatten = flatten(network.start(seed, weights="xavier"))

    def loss(theta: Any) -> Any:
        return softmax_cross_entropy(network.scores(unflatten(theta), x), one_hot) + 0.5 * _L2 * anp.sum(theta**2)

    options = {"maxgev": gradients, "maxiter": 10 * gradients, "gtol": 0.0, "verdict": False}
    points = {
        "start": np.array(theta),
        "after Adam": newtonkit.minimize(loss, theta, method=Adam(rate=_RATE), options=options).x,
        "after L-BFGS": newtonkit.minimize(loss, theta, method="lbfgs", options=options).x,
    }
    evaluator = Evaluator(Objective(loss), second_order=True)
    found = {
        name: lanczos_quadrature(evaluator.hvp(point), network.n, steps, probes, np.random.default_rng(seed))
        for name, point in points.items()
    }
    losses = {name: float(loss(point)) for name, point in points.items()}
    figure = save_figure(
        spectrum_figure(found),
        out / "spectrum.png",
        "Spectral density of the Hessian at the start, after Adam and after L-BFGS.",
        "Weights of the eigenvalues on a symmetric logarithmic axis: most are near zero, a few are large. The ratio of "
        "the large to the small ones is what a method without curvature must cope with at one learning rate.",
    )
    rows = [
        [
            name,
            number(losses[name], 3),
            number(at.smallest, 2),
            number(at.largest, 3),
            number(at.mean, 2),
            f"{at.negative:.1%}",
            f"{at.small:.1%}",
        ]
        for name, at in found.items()
    ]
    heads = ("point", "loss", "smallest Ritz value", "largest", "trace / n", "negative", "below 1 % of the largest")
    paragraphs = [
        f"Network {'-'.join(map(str, _SIZES))} with tanh on {len(x)} digits, n = {network.n}, loss with "
        f"(l2/2)‖θ‖², l2 = {number(_L2)}. Adam at rate {number(_RATE)} and L-BFGS take {gradients} gradients of all "
        f"data. {count(probes, 'random vector')}, {steps} products each. Ritz values lie within the spectrum; the "
        "shares are estimates.",
        verdict(found),
    ]
    return Document("Spectra of a network's Hessian", [*paragraphs, figure, Table("Eigenvalues", heads, rows)])


def verdict(found: Mapping[str, Spectrum]) -> str:
    """The share of small eigenvalues at each point."""
    shares = ", ".join(f"{at.small:.0%} {name}" for name, at in found.items())
    return f"Share of eigenvalues of at most 1 % of the largest: {shares}."


def spectrum_figure(found: Mapping[str, Spectrum]) -> Figure:
    """A panel for each point: the weight in bins of eigenvalues."""
    figure = Figure(figsize=(7.0, 1.9 * len(found)), layout="constrained")
    top = max(at.largest for at in found.values())
    scale = 1e-4 * top
    low, high = np.arcsinh(min(at.smallest for at in found.values()) / scale), np.arcsinh(top / scale)
    edges = scale * np.sinh(np.linspace(float(low), float(high), 61))
    panels = figure.subplots(len(found), 1, sharex=True, squeeze=False).flat
    for axes, (name, at) in zip(panels, found.items(), strict=True):
        heights, _ = np.histogram(at.values, edges, weights=at.weights)
        axes.stairs(np.maximum(heights, 1e-6), edges, baseline=1e-6, fill=True)
        axes.set_xscale("symlog", linthresh=scale)
        axes.set(yscale="log", ylim=(1e-5, 1.0), ylabel="share")
        axes.set_title(name, fontsize=10, loc="left")
        clean_axes(axes)
    decades = 10.0 ** np.arange(np.ceil(np.log10(10 * scale)), np.log10(top) + 1)
    axes.set_xticks([*(-decades[-decades >= edges[0]])[::-1], 0.0, *decades])
    axes.set_xlabel("eigenvalue")
    return figure
