"""A small physics-informed network: −u″ + u³ = f on (0, 1), by first-order, quasi-Newton and least-squares methods.

The network N is 1-20-20-1 with tanh, n = 481; u(t) = t(1 − t)N(t) satisfies u(0) = u(1) = 0 exactly. The loss is the
mean of the squared residuals at 201 points; f is such that u = sin(2πt) + ½ sin(5πt) is the solution.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import autograd.numpy as anp
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

import newtonkit
from comparisons.core.labels import count, number
from comparisons.plots.style import tick
from comparisons.report.document import Document, Table
from comparisons.report.files import save_figure
from comparisons.running.tuning import RateSearch, tune_rate
from newtonkit import BFGS, LBFGS, Adam, Cosine, History
from newtonkit.core.validation import check_integer
from newtonkit.derivatives.pytree import flatten
from problems.networks import Network

Vector = NDArray[np.float64]

QUICK = {"starts": 1, "iterations": 60}
_POINTS = 201
_GRID = (1e-3, 3e-3, 1e-2, 3e-2, 0.1)
_TUNING_SEED = 1000
_LONGER = 2  # updates of Adam for each iteration of the others
_FEWER = 20  # iterations of the others for each Jacobian of Levenberg–Marquardt
CURVED: dict[str, Any] = {
    "L-BFGS": LBFGS(memory=20),
    "BFGS": BFGS(self_scaling=False),
    "self-scaled BFGS": BFGS(),
    "self-scaled Broyden": BFGS(update="broyden"),
}
ADAM, SQUARES = "Adam", "Levenberg–Marquardt"
"""Adam at its tuned rate, which decays to 0; `newtonkit.least_squares` with method "lm"."""
PUBLISHED = (
    "Urbán, Stefanou & Pons (2025), J. Comput. Phys. 523, 113656 (arXiv:2405.04230), and Kiyani et al. (arXiv:"
    "2501.16371) report errors several orders of magnitude below those of Adam and BFGS for self-scaled quasi-Newton "
    "methods; arXiv:2602.08515 reports that Levenberg–Marquardt is ahead of BFGS on shallow networks."
)


@dataclass(frozen=True)
class Trained:
    """One run: the loss against seconds, and the end."""

    seconds: Vector
    loss: Vector
    final: float
    error: float
    """‖u − u*‖/‖u*‖ on the points."""
    took: float
    """Seconds until the last iterate."""


class Equation:
    """The residuals of the equation for the parameters of the network."""

    def __init__(self, points: int = _POINTS) -> None:
        self.t = np.linspace(0.0, 1.0, points)[:, None]
        self.network = Network((1, 20, 20, 1), "tanh")
        self.unflatten = flatten(self.network.start(0))[1]
        low, high = 2.0 * math.pi, 5.0 * math.pi
        self.exact = np.sin(low * self.t) + 0.5 * np.sin(high * self.t)
        second = -(low**2) * np.sin(low * self.t) - 0.5 * high**2 * np.sin(high * self.t)
        self.source = -second + self.exact**3

    def start(self, seed: int) -> Vector:
        """Random parameters, as the variance of Glorot & Bengio (2010) for tanh."""
        return np.array(flatten(self.network.start(seed, weights="xavier"))[0])

    def solution(self, theta: Any) -> tuple[Any, Any]:
        """u and u″ at the points, by forward differentiation through the layers."""
        *hidden, last = self.unflatten(theta)
        value, first, second = self.t, np.ones_like(self.t), np.zeros_like(self.t)
        for layer in hidden:
            a = anp.tanh(anp.dot(value, layer["W"]) + layer["b"])
            slope, bend = anp.dot(first, layer["W"]), anp.dot(second, layer["W"])
            d = 1.0 - a**2
            value, first, second = a, d * slope, d * bend - 2.0 * a * d * slope**2
        value, first, second = (
            anp.dot(value, last["W"]) + last["b"],
            anp.dot(first, last["W"]),
            anp.dot(second, last["W"]),
        )
        t = self.t
        return t * (1.0 - t) * value, t * (1.0 - t) * second + 2.0 * (1.0 - 2.0 * t) * first - 2.0 * value

    def residuals(self, theta: Any) -> Any:
        """−u″ + u³ − f at the points."""
        u, second = self.solution(theta)
        return anp.ravel(-second + u**3 - self.source)

    def loss(self, theta: Any) -> Any:
        """The mean of the squared residuals."""
        return anp.mean(self.residuals(theta) ** 2)

    def error(self, theta: Vector) -> float:
        """‖u − u*‖/‖u*‖ on the points."""
        u, _ = self.solution(theta)
        return float(np.linalg.norm(u - self.exact) / np.linalg.norm(self.exact))


def run(out: Path, *, seed: int = 0, quick: bool = False, starts: int = 5, iterations: int = 8000) -> Document:
    """Loss and error of each method from the same starts.

    Parameters
    ----------
    out : Path
    seed : int, default 0
        Of the first start; the next follow. Adam's rate is tuned on another.
    quick : bool, default False
        One start and few iterations.
    starts : int, at least 1, default 5
    iterations : int, at least 20, default 8000
        Of each quasi-Newton method. Adam makes twice as many updates, Levenberg–Marquardt a twentieth as many
        iterations, each with a Jacobian.
    """
    check_integer("starts", starts, 1)
    check_integer("iterations", iterations, _FEWER)
    equation = Equation()
    found = tune_adam(equation, _TUNING_SEED + seed, iterations, _GRID[1::2] if quick else _GRID)
    methods: dict[str, Callable[[Vector], Trained]] = {
        ADAM: lambda x: _minimized(equation, x, _adam(found.rate, _LONGER * iterations), _LONGER * iterations),
        **{
            name: lambda x, method=method: _minimized(equation, x, method, iterations)  # type: ignore[misc]
            for name, method in CURVED.items()
        },
        SQUARES: lambda x: _squares(equation, x, iterations // _FEWER),
    }
    seeds = range(seed, seed + starts)
    runs = {name: [train(equation.start(k)) for k in seeds] for name, train in methods.items()}
    figure = save_figure(
        loss_figure(runs),
        out / "pinn.png",
        "Loss against seconds for each method on a physics-informed network.",
        f"The mean squared residual against seconds, from {count(starts, 'start')}.",
    )
    edge = ", at the edge of the grid" if found.at_the_edge else ""
    paragraphs = [
        "−u″ + u³ = f on (0, 1) with u(0) = u(1) = 0 and the solution u = sin(2πt) + ½ sin(5πt). Network 1-20-20-1 "
        f"with tanh, n = {equation.network.n}, {_POINTS} points; the boundary values are built in. {iterations} "
        f"iterations of the quasi-Newton methods, {_LONGER * iterations} updates of Adam, whose rate decays to 0 by a "
        f"half cosine, {iterations // _FEWER} of Levenberg–Marquardt. Adam's rate {number(found.rate)} is the best of "
        f"{len(found.trials)}, tuned on another start with half of the updates{edge}; no other method has a "
        "parameter that was tuned. A run may take fewer iterations, where rounding ends it.",
        verdict(runs),
        PUBLISHED,
    ]
    return Document("A physics-informed network", [*paragraphs, figure, results_table(runs)])


def tune_adam(equation: Equation, seed: int, updates: int, grid: Sequence[float]) -> RateSearch:
    """Adam's rate with the lowest loss after these updates."""

    def score(rate: float) -> tuple[float, float]:
        return math.inf, _minimized(equation, equation.start(seed), _adam(rate, updates), updates).final

    return tune_rate(score, grid, target="the lowest loss", budget=updates)


def _adam(rate: float, updates: int) -> Adam:
    return Adam(rate=Cosine(rate, horizon=updates))


def _minimized(equation: Equation, x0: Vector, method: Any, iterations: int) -> Trained:
    result = newtonkit.minimize(
        equation.loss,
        x0,
        method=method,
        options={"maxiter": iterations, "maxfev": 4 * iterations, "gtol": 0.0, "verdict": False, "history": True},
    )
    history: History = result.history
    seconds = np.array(history.seconds)
    return Trained(seconds, np.array(history.f), result.fun, equation.error(result.x), float(seconds[-1]))


def _squares(equation: Equation, x0: Vector, iterations: int) -> Trained:
    began, seconds, losses = time.perf_counter(), [0.0], [float(equation.loss(x0))]

    def callback(intermediate_result: Any) -> None:
        seconds.append(time.perf_counter() - began)
        losses.append(float(equation.loss(np.array(intermediate_result.x))))

    fit = newtonkit.least_squares(
        equation.residuals, x0, method="lm", xtol=1e-15, max_nfev=iterations, callback=callback
    )
    return Trained(np.array(seconds), np.array(losses), float(equation.loss(fit.x)), equation.error(fit.x), seconds[-1])


def verdict(runs: dict[str, list[Trained]]) -> str:
    """The lowest median loss, and the ratio to that of Adam."""
    medians = {name: float(np.median([run.final for run in found])) for name, found in runs.items()}
    best = min(medians, key=medians.__getitem__)
    return (
        f"The lowest median loss is that of {best}, {number(medians[best], 2)}; Adam's is {number(medians[ADAM], 2)}, "
        f"L-BFGS's {number(medians['L-BFGS'], 2)}, plain BFGS's {number(medians['BFGS'], 2)}."
    )


def results_table(runs: dict[str, list[Trained]]) -> Table:
    """Loss, error and seconds: the median and the range over the starts."""

    def spread(values: Sequence[float]) -> str:
        low, high = number(min(values), 2), number(max(values), 2)
        return f"{number(float(np.median(values)), 2)} ({low} to {high})"

    rows = [
        [
            name,
            spread([run.final for run in found]),
            spread([run.error for run in found]),
            number(float(np.median([run.took for run in found])), 2),
        ]
        for name, found in runs.items()
    ]
    heads = ("method", "loss: median (range)", "relative error of u: median (range)", "seconds, median")
    return Table(f"The end of the runs, {count(len(next(iter(runs.values()))), 'start')}", heads, rows)


def loss_figure(runs: dict[str, list[Trained]]) -> Figure:
    """Loss against seconds; a line for each start, a dash for each method."""
    figure = Figure(figsize=(8.0, 4.6), layout="constrained")
    axes = figure.subplots()
    dashes: tuple[Any, ...] = ("-", (0, (1, 1)), (0, (4, 1.5)), "-", (0, (6, 1, 1, 1)), "-.")
    for place, (name, found) in enumerate(runs.items()):
        for which, run in enumerate(found):
            label = name if which == 0 else None
            axes.plot(run.seconds, run.loss, color=f"C{place}", linestyle=dashes[place], linewidth=1.2, label=label)
    axes.set(yscale="log", xlabel="seconds", ylabel="loss")
    axes.yaxis.set_major_formatter(tick)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=9)
    return figure
