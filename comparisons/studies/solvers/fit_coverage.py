"""How often 95 % intervals of fitted parameters contain the true value, on simulated data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np

import newtonkit
from comparisons.report.document import Document, Table


@dataclass(frozen=True)
class SimulatedModel:
    """A curve with its true parameters, the places of the data and the standard deviation of the noise."""

    f: Callable[..., Any]
    truth: dict[str, float]
    x: Any
    noise: float


def line(x: Any, a: Any, b: Any) -> Any:
    """A + bx."""
    return a + b * x


def decay(x: Any, a: Any, b: Any) -> Any:
    """A·exp(−bx)."""
    return a * anp.exp(-b * x)


def michaelis_menten(x: Any, V: Any, K: Any) -> Any:
    """Vx/(K + x)."""
    return V * x / (K + x)


def logistic(x: Any, top: Any, mid: Any, width: Any) -> Any:
    """Logistic growth from 0 to top."""
    return top / (1.0 + anp.exp(-(x - mid) / width))


# noise of one to three per cent of the response: mildly nonlinear, in that Wald's and the profile's intervals are close
MODELS = {
    "line": SimulatedModel(line, {"a": 1.0, "b": 2.0}, np.linspace(0.0, 1.0, 20), 0.3),
    "decay": SimulatedModel(decay, {"a": 5.0, "b": 0.7}, np.linspace(0.0, 4.0, 25), 0.1),
    "michaelis-menten": SimulatedModel(michaelis_menten, {"V": 2.0, "K": 1.5}, np.linspace(0.2, 10.0, 25), 0.03),
    "logistic": SimulatedModel(logistic, {"top": 8.0, "mid": 5.0, "width": 1.2}, np.linspace(0.0, 12.0, 30), 0.15),
}


def run(models: Sequence[str] = tuple(MODELS), count: int = 1000, seed: int = 0) -> Document:
    """The table as a document."""
    return Document("Coverage", [coverage_table(models, count, seed)])


def coverage_table(models: Sequence[str] = tuple(MODELS), count: int = 1000, seed: int = 0) -> Table:
    """The table of all parameters."""
    rows = [
        [name, parameter, f"{100 * share:.1f} %"]
        for name in models
        for parameter, share in coverage(name, count, seed).items()
    ]
    title = f"Share of {count} data sets in which the 95 % interval contains the true value"
    return Table(title, ["model", "parameter", "coverage"], rows, text=(0, 1))


def coverage(name: str, count: int = 1000, seed: int = 0, method: str = "t") -> dict[str, float]:
    """The share of simulated data sets whose 95 % interval contains the true value, by parameter."""
    model = MODELS[name]
    rng = np.random.default_rng(seed)
    truth = model.truth
    inside = dict.fromkeys(truth, 0)
    exact = np.asarray(model.f(model.x, *truth.values()))
    for _ in range(count):
        y = exact + model.noise * rng.standard_normal(exact.size)
        fit = newtonkit.curve_fit(model.f, model.x, y, truth)
        for parameter, (low, high) in fit.intervals(0.95, method).items():
            inside[parameter] += low <= truth[parameter] <= high
    return {parameter: number / count for parameter, number in inside.items()}
