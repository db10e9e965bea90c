"""Dense networks as plain functions of their parameters, and loss functions for them, written with autograd.

    network = Network((784, 100, 10), activation="relu")
    params = network.start(seed=0)                      a list of {"W": (inputs, outputs), "b": (outputs,)}
    softmax_cross_entropy(network.scores(params, x), labels)

Parameters, points and labels may all be inputs of a trace: no function here branches on their values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np
import numpy.typing as npt

from newtonkit.derivatives.pytree import flatten
from problems.base import CriticalPoint, Problem, Samples, check_integer, check_number
from problems.datasets import moons
from problems.registry import register

Array = npt.NDArray[np.float64]
Parameters = list[dict[str, Array]]

_ACTIVATIONS = {
    "relu": lambda z: anp.maximum(z, 0.0),
    "tanh": anp.tanh,
    # 1/(1 + exp(−z)), without the overflow of exp
    "sigmoid": lambda z: 0.5 + 0.5 * anp.tanh(0.5 * z),
}
# the variance of a weight, by the number of inputs and outputs of its layer
_VARIANCES = {
    "he": lambda inputs, outputs: 2.0 / inputs,
    "xavier": lambda inputs, outputs: 2.0 / (inputs + outputs),
    "lecun": lambda inputs, outputs: 1.0 / inputs,
}
_DISTRIBUTIONS = ("normal", "uniform")


@dataclass(frozen=True)
class Network:
    """Layers x ↦ a(xW + b). The last layer has no activation: its outputs are scores, also called logits.

    Parameters
    ----------
    sizes : tuple of int
        Numbers of inputs, of units in each hidden layer, and of scores; (784, 100, 10) has one hidden layer.
    activation : {"relu", "tanh", "sigmoid"}, default "relu"
        The activation of the hidden layers. "relu" is not differentiable at zero, as second-order methods require.

    Examples
    --------
    >>> network = Network((2, 5, 2, 1), activation="tanh")
    >>> network.n
    30
    >>> network.scores(network.start(seed=0), np.zeros((4, 2))).shape
    (4, 1)
    """

    sizes: tuple[int, ...]
    activation: str = "relu"

    def __post_init__(self) -> None:
        sizes = tuple(self.sizes) if isinstance(self.sizes, Iterable) else ()
        if len(sizes) < 2:
            raise ValueError(f"sizes must name inputs and scores at least, such as (64, 32, 10); got {self.sizes!r}")
        sizes = tuple(check_integer(f"sizes[{i}]", size, low=1) for i, size in enumerate(sizes))
        object.__setattr__(self, "sizes", sizes)
        _check_name("activation", self.activation, _ACTIVATIONS)

    @property
    def n(self) -> int:
        """The number of parameters."""
        return sum((inputs + 1) * outputs for inputs, outputs in self._layers)

    @property
    def _layers(self) -> list[tuple[int, int]]:
        return list(zip(self.sizes[:-1], self.sizes[1:], strict=True))

    def start(
        self, seed: int = 0, *, weights: str | float = "he", distribution: str = "normal", scale: float = 1.0
    ) -> Parameters:
        """Random weights of mean zero, and biases of zero.

        Parameters
        ----------
        seed : int, at least 0, default 0
        weights : {"he", "xavier", "lecun"} or float, default "he"
            The variance of a weight: 2/inputs, 2/(inputs + outputs), 1/inputs of its layer. A number is its standard
            deviation in every layer.
        distribution : {"normal", "uniform"}, default "normal"
        scale : float, at least 0, default 1
            A factor on all weights.

        References
        ----------
        He, Zhang, Ren & Sun (2015), ICCV, eq. 10; Glorot & Bengio (2010), AISTATS, eq. 12 and 16; LeCun, Bottou, Orr &
        Müller (1998), *Efficient BackProp*, eq. 16.

        Examples
        --------
        >>> [layer["W"].shape for layer in Network((64, 32, 10)).start(seed=1, weights="xavier")]
        [(64, 32), (32, 10)]
        """
        random = np.random.default_rng(check_integer("seed", seed, low=0))
        _check_name("distribution", distribution, _DISTRIBUTIONS)
        scale = check_number("scale", scale, low=0.0)
        if isinstance(weights, str):
            _check_name("weights", weights, _VARIANCES, "or the standard deviation, a number")
        else:
            check_number("weights", weights, low=0.0)
        params = []
        for inputs, outputs in self._layers:
            deviation = _VARIANCES[weights](inputs, outputs) ** 0.5 if isinstance(weights, str) else weights
            # uniform in (−1, 1) has variance 1/3
            W = (
                random.standard_normal((inputs, outputs))
                if distribution == "normal"
                else 3**0.5 * random.uniform(-1.0, 1.0, (inputs, outputs))
            )
            params.append({"W": scale * deviation * W, "b": np.zeros(outputs)})
        return params

    def scores(self, params: Any, x: Any) -> Any:
        """The scores of the points that are the rows of x, one row each.

        Parameters
        ----------
        params : list of dict
            With the structure that `start` returns.
        x : array_like, shape (points, inputs)
        """
        if len(params) != len(self.sizes) - 1:
            raise ValueError(f"params must have {len(self.sizes) - 1} layers, got {len(params)}")
        for i, (layer, (inputs, outputs)) in enumerate(zip(params, self._layers, strict=True)):
            for name, shape in (("W", (inputs, outputs)), ("b", (outputs,))):
                if anp.shape(layer[name]) != shape:
                    raise ValueError(f"params[{i}][{name!r}] must have shape {shape}, got {anp.shape(layer[name])}")
        if anp.ndim(x) != 2 or anp.shape(x)[1] != self.sizes[0]:
            raise ValueError(f"x must have shape (points, {self.sizes[0]}), got {anp.shape(x)}")
        activation = _ACTIVATIONS[self.activation]
        for layer in params[:-1]:
            x = activation(anp.dot(x, layer["W"]) + layer["b"])
        return anp.dot(x, params[-1]["W"]) + params[-1]["b"]


def softmax_cross_entropy(scores: Any, labels: Any) -> Any:
    """The mean over the points of log Σₖ exp(sₖ) − s_label: finite for scores of any size.

    Parameters
    ----------
    scores : array, shape (points, classes)
    labels : array, shape (points,) or (points, classes)
        The numbers 0, 1, … of the classes, or for each point a row of probabilities, for example a one-hot row.

    Examples
    --------
    >>> float(softmax_cross_entropy(np.array([[1000.0, 0.0], [0.0, 0.0]]), np.array([1, 0])).round(6))
    500.346574
    """
    points, classes = _shape_of_scores(scores)
    if anp.shape(labels) == (points,):
        _check_labels(labels, classes)
        # a mask, since an index would have to be an integer at the time of tracing
        labels = anp.reshape(labels, (points, 1)) == np.arange(classes)
    elif anp.shape(labels) != (points, classes):
        raise ValueError(f"labels must have shape ({points},) or ({points}, {classes}), got {anp.shape(labels)}")
    # the largest score is subtracted, so that exp cannot overflow
    shifted = scores - anp.max(scores, axis=1, keepdims=True)
    log_sums = anp.log(anp.sum(anp.exp(shifted), axis=1))
    return anp.mean(log_sums - anp.sum(labels * shifted, axis=1))


def binary_cross_entropy(scores: Any, labels: Any) -> Any:
    """The mean over the points of log(1 + exp(−s)) for label 1, of log(1 + exp(s)) for label 0.

    Parameters
    ----------
    scores : array, shape (points,) or (points, 1)
        Logits: the probability of label 1 is 1/(1 + exp(−s)).
    labels : array of 0 and 1, shape (points,)

    Examples
    --------
    >>> float(binary_cross_entropy(np.array([1000.0, 0.0]), np.array([0, 1])).round(6))
    500.346574
    """
    size = anp.size(scores)
    if anp.shape(labels) != (size,) or anp.shape(scores) not in ((size,), (size, 1)):
        shapes = f"{anp.shape(scores)} and {anp.shape(labels)}"
        raise ValueError(f"scores must have shape (points,) or (points, 1) and labels (points,), got {shapes}")
    _check_labels(labels, 2)
    # one term in place of the usual two: accurate if the loss is tiny, since nothing cancels
    return anp.mean(anp.logaddexp(0.0, (1.0 - 2.0 * labels) * anp.reshape(scores, (size,))))


def accuracy(scores: Any, labels: Any) -> float:
    """The share of points whose class has the largest score, or whose single score has the sign of its label.

    Parameters
    ----------
    scores : ndarray, shape (points, classes), (points, 1) or (points,)
    labels : ndarray of int, shape (points,)

    Examples
    --------
    >>> accuracy(np.array([[0.3], [-2.0], [1.0]]), np.array([1, 0, 0]))
    0.6666666666666666
    """
    points = len(scores)
    if np.shape(labels) != (points,):
        raise ValueError(f"labels must have shape ({points},), the numbers of the classes; got {np.shape(labels)}")
    rows = np.reshape(scores, (points, -1))
    classes = rows[:, 0] > 0.0 if rows.shape[1] == 1 else rows.argmax(axis=1)
    return float(np.mean(classes == labels))


def _check_name(name: str, value: Any, known: Any, otherwise: str = "") -> None:
    if value not in known:
        valid = " ".join(filter(None, (", ".join(map(repr, known)), otherwise)))
        raise ValueError(f"{name} must be one of {valid}; got {value!r}")


def _shape_of_scores(scores: Any) -> tuple[int, int]:
    shape = anp.shape(scores)
    if len(shape) != 2 or shape[1] < 2:
        raise ValueError(f"scores must have shape (points, classes) with two classes or more, got {shape}")
    points, classes = shape
    return points, classes


def _check_labels(labels: Any, classes: int) -> None:
    """Raise if a label is not a class. Labels inside a trace are not checked, since a plain call came before."""
    if isinstance(labels, np.ndarray) and not np.isin(labels, np.arange(classes)).all():
        wrong = labels[~np.isin(labels, np.arange(classes))][0]
        raise ValueError(f"labels must be the classes 0 … {classes - 1}, got {wrong}")


_MOONS_L2 = 1e-3
# for each unit of the first layer its weights and bias; for one of the second, which occurs twice; for the score
_FIRST = (
    (1.7266893103497007, 0.6352657945756305, -0.5666157417615999),
    (1.4333041463576202, -0.5374853100390048, -1.872861330919061),
    (-0.8173220950463639, 1.1469940848577382, -0.16363380210585843),
    (-2.4461620919011398, 0.45746006017950835, 1.5698309419190684),
    (1.8937152739008871, 0.08853552468407902, 1.1277603311652662),
)
_SECOND = (1.0154815625007583, -1.6095131332969035, 1.1616097968503992, -1.1343811460732406, -1.276987356314331)
_SECOND_BIAS, _LAST, _LAST_BIAS = 0.0709424371265145, -3.48130947228048, -0.3065740972654561


@register(
    "moons-network",
    tags=("nonconvex", "multimodal", "data", "finite-sum", "benchmark"),
    summary="a network 2-5-2-1 that classifies two moons, 30 variables: the minimum at zero classifies nothing",
)
def moons_network(*, l2: float = _MOONS_L2) -> Problem:
    """The mean cross-entropy of a network 2-5-2-1 with tanh on 300 points of two moons, plus (l2/2)‖θ‖².

    At θ = 0 the derivatives of the scores vanish to second order in all weights, and the classes have equal size. So
    θ = 0 is a minimum with curvature l2. Every other minimum has mirror images, by the signs of tanh and the order of
    the units. Newton's method from 60 random starts at the default l2 ended at six different values. The lowest one is
    listed, with one of its images.

    The starts are He's weights from one seed, those from another seed, and ten times the first.

    Parameters
    ----------
    l2 : float > 0, default 1e-3
        Weight of the regularisation, biases included. Without it the weights may grow without bound.
    """
    l2 = check_number("l2", l2, low=0.0, strict=True)
    network = Network((2, 5, 2, 1), activation="tanh")
    x, labels = moons()
    start, unflatten = flatten(network.start(seed=0))

    def fun(theta: Any) -> Any:
        loss = binary_cross_entropy(network.scores(unflatten(theta), x), labels)
        return loss + 0.5 * l2 * anp.dot(theta, theta)

    def loss(theta: Any, batch: Any) -> Any:
        inputs, targets = batch
        mean = binary_cross_entropy(network.scores(unflatten(theta), inputs), targets)
        return mean + 0.5 * l2 * anp.dot(theta, theta)

    points = [
        CriticalPoint(
            x=np.zeros(network.n),
            f=float(np.log(2.0)),
            kind="minimum",
            index=0,
            verified="closed form: Hessian by hand",
        )
    ]
    if l2 == _MOONS_L2:
        points += [_moons_minimum(1.0), _moons_minimum(-1.0)]
    return Problem(
        fun=fun,
        n=network.n,
        starts={"standard": start, "other": flatten(network.start(seed=1))[0], "far": 10.0 * start},
        points=tuple(points),
        samples=Samples((x, labels), loss),
        formula="mean log(1 + exp(∓s(xᵢ))) + (l2/2)‖θ‖², s = w₃ᵀ tanh(W₂ᵀ tanh(W₁ᵀx + b₁) + b₂) + b₃",
        references=("data: two moons, scikit-learn's make_moons(300, noise=0.2, random_state=3)",),
    )


def _moons_minimum(sign: float) -> CriticalPoint:
    """The lowest minimum known, or its image under a change of sign of the first unit."""
    first = np.array(_FIRST).T * [sign, 1.0, 1.0, 1.0, 1.0]
    second = np.array([_SECOND, _SECOND]).T * np.array([[sign], [1.0], [1.0], [1.0], [1.0]])
    layers = [
        {"W": first[:2], "b": first[2]},
        {"W": second, "b": np.full(2, _SECOND_BIAS)},
        {"W": np.full((2, 1), _LAST), "b": np.array([_LAST_BIAS])},
    ]
    verified = "Newton to ‖g‖∞ < 2e-16, eigenvalues above 2e-4; the lowest end of 200 runs from random starts"
    return CriticalPoint(x=flatten(layers)[0], f=0.16401469928488088, kind="minimum", index=0, verified=verified)
