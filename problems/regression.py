"""Strongly convex regressions on real data from scikit-learn.

Every coefficient, biases included, is regularised by (l2/2)‖θ‖². So f is strongly convex with modulus l2, and there is
one critical point. At every point f(θ) − f* ≤ ‖∇f(θ)‖²/(2 l2) bounds the error. The minimum f* is known for the default
l2. Its minimizer is not stored: `Problem.reached` compares values.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import autograd.numpy as anp
import numpy as np

from problems.base import CriticalPoint, Problem, Samples, Vector, check_number
from problems.datasets import breast_cancer, digits
from problems.registry import register

DEFAULT_L2 = 1e-3


@cache
def _cancer() -> Vector:
    """The rows −yᵢ·(xᵢ, 1) of the breast-cancer data, standardised, with labels yᵢ = ±1."""
    x, labels = breast_cancer()
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    signs = np.where(labels == 1, -1.0, 1.0)
    rows: Vector = signs[:, None] * np.hstack([x, np.ones((len(x), 1))])
    return rows


@cache
def _digits() -> tuple[Vector, Vector]:
    """The digits as columns (x, 1), and the mean of y xᵀ over one-hot labels y."""
    x, labels = digits()
    columns = np.vstack([x.T, np.ones(len(x))])
    one_hot = np.arange(10)[:, None] == labels
    return columns, one_hot @ columns.T / len(x)


def _starts(n: int) -> dict[str, Vector]:
    random = np.random.default_rng(569).standard_normal(n)
    return {"standard": np.zeros(n), "random": random, "far": 10.0 * random}


def _certified(f: float, l2: float) -> tuple[CriticalPoint, ...]:
    """The minimum, if it is known for this l2."""
    if l2 != DEFAULT_L2:
        return ()
    verified = "Newton in 80-bit arithmetic to ‖g‖ < 1e-15; by strong convexity f − f* ≤ ‖g‖²/(2 l2) < 1e-26"
    return (CriticalPoint(x=None, f=f, kind="minimum", index=0, verified=verified),)


@register(
    "breast-cancer-logistic",
    tags=("convex", "strongly-convex", "data", "finite-sum"),
    summary="regularised logistic regression on 569 samples with 30 features",
)
def breast_cancer_logistic(*, l2: float = DEFAULT_L2) -> Problem:
    """mean log(1 + exp(−yᵢ(wᵀxᵢ + b))) + (l2/2)‖θ‖² with θ = (w, b), 31 variables.

    The features are standardised. The starts are zeros, a seeded standard normal vector and ten times that.

    Parameters
    ----------
    l2 : float > 0, default 1e-3
        Weight of the regularisation, and modulus of strong convexity.
    """
    l2 = check_number("l2", l2, low=0.0, strict=True)
    rows = _cancer()

    def fun(theta: Any) -> Any:
        return anp.mean(anp.logaddexp(0.0, anp.dot(rows, theta))) + 0.5 * l2 * anp.dot(theta, theta)

    def loss(theta: Any, batch: Any) -> Any:
        return anp.mean(anp.logaddexp(0.0, anp.dot(batch, theta))) + 0.5 * l2 * anp.dot(theta, theta)

    points = _certified(0.059829471881805106, l2)
    return Problem(
        fun=fun,
        n=31,
        starts=_starts(31),
        points=points,
        complete=bool(points),
        samples=Samples(rows, loss),
        formula="mean log(1 + exp(−yᵢ(wᵀxᵢ + b))) + (l2/2)‖(w, b)‖²",
        references=("data: Wolberg, Mangasarian, Street & Street, Breast Cancer Wisconsin (Diagnostic), UCI",),
    )


@register(
    "digits-softmax",
    tags=("convex", "strongly-convex", "data", "finite-sum"),
    summary="regularised softmax regression on 1797 handwritten digits, 650 variables",
)
def digits_softmax(*, l2: float = DEFAULT_L2) -> Problem:
    """mean [log Σₖ exp sₖ(xᵢ) − s_{yᵢ}(xᵢ)] + (l2/2)‖θ‖² with scores sₖ(x) = wₖᵀx + bₖ, k = 0 … 9.

    θ consists of ten blocks (wₖ, bₖ) of 65 numbers; the pixels are scaled to [0, 1]. Some pixels are zero in every
    image, so l2 is exactly the lowest eigenvalue of the Hessian. The starts are zeros, a seeded standard normal vector
    and ten times that.

    Parameters
    ----------
    l2 : float > 0, default 1e-3
        Weight of the regularisation, and modulus of strong convexity.
    """
    l2 = check_number("l2", l2, low=0.0, strict=True)
    columns, mean_labels = _digits()
    labels = mean_labels.ravel()

    def fun(theta: Any) -> Any:
        scores = anp.dot(anp.reshape(theta, (10, 65)), columns)
        # The largest score is subtracted, so that exp cannot overflow. The term of the labels is linear in θ.
        top = anp.max(scores, axis=0)
        log_sums = top + anp.log(anp.sum(anp.exp(scores - top), axis=0))
        return anp.mean(log_sums) - anp.dot(labels, theta) + 0.5 * l2 * anp.dot(theta, theta)

    def loss(theta: Any, batch: Any) -> Any:
        x, one_hot = batch
        scores = anp.dot(x, anp.reshape(theta, (10, 65)).T)
        top = anp.max(scores, axis=1)
        log_sums = top + anp.log(anp.sum(anp.exp(scores - top[:, None]), axis=1))
        return anp.mean(log_sums - anp.sum(one_hot * scores, axis=1)) + 0.5 * l2 * anp.dot(theta, theta)

    one_hot = np.eye(10)[digits()[1]]
    points = _certified(0.26392582329507293, l2)
    return Problem(
        fun=fun,
        n=650,
        starts=_starts(650),
        points=points,
        complete=bool(points),
        samples=Samples((columns.T.copy(), one_hot), loss),
        formula="mean [log Σₖ exp(wₖᵀxᵢ + bₖ) − (w_{yᵢ}ᵀxᵢ + b_{yᵢ})] + (l2/2)‖θ‖²",
        references=("data: Alpaydin & Kaynak, Optical Recognition of Handwritten Digits, UCI, test part",),
    )
