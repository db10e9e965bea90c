"""Time of derivatives: by hand in numpy, by plain autograd, by the tape, and by JAX if it is installed."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import hessian as autograd_hessian
from autograd import make_hvp, value_and_grad
from numpy.typing import NDArray

from comparisons.report.document import Document, Table
from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.tape.cache import Derivatives

Vector = NDArray[np.float64]

_SECONDS = 0.02  # of repetitions in one sample
_SAMPLES = 7
_HESSIAN_LIMIT = 1300  # variables; a dense Hessian by autograd takes seconds there


@dataclass(frozen=True)
class Case:
    """A function, written once for any numpy-like module, with its gradient by hand."""

    name: str
    n: int
    fun: Callable[[Any, Any], Any]
    """fun(np, x)."""
    by_hand: Callable[[Vector], tuple[float, Vector]]


@dataclass(frozen=True, slots=True)
class Timing:
    """Microseconds, medians; NaN where not measured."""

    name: str
    n: int
    gradient: dict[str, float]
    """Value and gradient, by source: "by hand", "autograd", "tape", "JAX"."""
    product: dict[str, float]
    """A Hessian-vector product at a point that is linearized already."""
    hessian: dict[str, float]
    recording: float
    """Recording the tape of value and gradient."""

    @property
    def pays_after(self) -> float:
        """Number of gradients after which recording the tape pays."""
        gain = self.gradient["autograd"] - self.gradient["tape"]
        return math.ceil(self.recording / gain) if gain > 0 else math.inf


def cases() -> list[Case]:
    """Beale's function, Rosenbrock chains, logistic regressions, a network."""
    rng = np.random.default_rng(0)
    found = [Case("Beale", 2, _beale, _beale_by_hand)]
    found += [Case("Rosenbrock", n, _rosenbrock, _rosenbrock_by_hand) for n in (2, 10, 100, 1000, 100_000)]
    for n in (20, 200):
        A = rng.standard_normal((2000, n))
        signs = np.sign(A[:, 0] + 0.3)
        found.append(Case("logistic 2000 rows", n, *_logistic(A, signs)))
    found.append(Case("network 30-30-10", 1240, *_network(rng.standard_normal((200, 30)))))
    return found


def measure(chosen: list[Case] | None = None) -> list[Timing]:
    """Time every case, all sources in one process."""
    return [_timing(case) for case in (cases() if chosen is None else chosen)]


def _timing(case: Case) -> Timing:
    x = np.linspace(0.2, 1.3, case.n) / (10.0 if case.name.startswith("network") else 1.0)
    v = np.cos(np.arange(1.0, case.n + 1.0))
    small = case.n <= _HESSIAN_LIMIT

    def fun(z: Any) -> Any:
        return case.fun(anp, z)

    began = time.perf_counter()
    taped = _taped(fun, x)
    recording = 1e6 * (time.perf_counter() - began)
    plain_gradient = value_and_grad(fun)
    linearized = _linearized(taped, x)
    plain_product, _ = make_hvp(fun)(x)
    gradient = {
        "by hand": _median(lambda: case.by_hand(x)),
        "autograd": _median(lambda: plain_gradient(x)),
        "tape": _median(lambda: taped.value_and_gradient(x)),
    }
    recording -= 2 * gradient["autograd"]  # the two gradients before it
    product = {"autograd": _median(lambda: plain_product(v)), "tape": _median(lambda: linearized.product(v))}
    hessian = {}
    if small:
        hessian["autograd"] = _median(lambda: autograd_hessian(fun)(x))
        hessian["tape"] = _median(lambda: taped.linearize(x).hessian())
    _add_jax(case, x, v, gradient, product, hessian if small else None)
    return Timing(case.name, case.n, gradient, product, hessian, max(recording, 0.0))


def _taped(fun: Callable[[Any], Any], x: Vector) -> Derivatives:
    """Derivatives whose tape of the gradient is recorded, and then that of the products."""
    taped = Derivatives(fun)
    for _ in range(3):
        taped.value_and_gradient(x)
    return taped


def _linearized(taped: Derivatives, x: Vector) -> Linearization:
    """From the tape of the products, recorded at the third."""
    return [taped.linearize(x) for _ in range(3)][-1]


def _median(call: Callable[[], Any]) -> float:
    """Microseconds of one call: the median of several samples of many calls."""
    for _ in range(3):  # a tape is recorded at the third
        began = time.perf_counter()
        call()
        once = time.perf_counter() - began
    repetitions = max(1, int(_SECONDS / max(once, 1e-7)))
    samples = []
    for _ in range(_SAMPLES if once < 0.2 else 1):
        began = time.perf_counter()
        for _ in range(repetitions):
            call()
        samples.append((time.perf_counter() - began) / repetitions)
    return 1e6 * statistics.median(samples)


def _add_jax(
    case: Case, x: Vector, v: Vector, gradient: dict[str, float], product: dict[str, float], hessian: Any
) -> None:
    """JAX compiled by XLA, conversion to numpy included; nothing if it is not installed."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return
    jax.config.update("jax_enable_x64", True)

    def fun(z: Any) -> Any:
        return case.fun(jnp, z)

    compiled = jax.jit(jax.value_and_grad(fun))
    times = jax.jit(lambda z, w: jax.jvp(jax.grad(fun), (z,), (w,))[1])
    gradient["JAX"] = _median(lambda: [np.asarray(part) for part in compiled(x)])
    product["JAX"] = _median(lambda: np.asarray(times(x, v)))
    if hessian is not None:
        matrix = jax.jit(jax.hessian(fun))
        hessian["JAX"] = _median(lambda: np.asarray(matrix(x)))


def speed_table(timings: list[Timing]) -> Table:
    """One row for each case."""
    jax = any("JAX" in timing.gradient for timing in timings)
    sources = ["by hand", "autograd", "tape", *(["JAX"] if jax else [])]
    headings = [
        *("function", "n", *(f"f, ∇f {source}" for source in sources), "autograd/tape", "tape/hand"),
        *("Hv autograd", "tape", "H autograd", "tape", *(["JAX"] if jax else []), "recording", "break-even"),
    ]
    rows = []
    for t in timings:
        g, p, h = t.gradient, t.product, t.hessian
        rows.append(
            [
                t.name,
                str(t.n),
                *(_short(g.get(source)) for source in sources),
                f"{g['autograd'] / g['tape']:.0f}",
                f"{g['tape'] / g['by hand']:.1f}",
                _short(p["autograd"]),
                _short(p["tape"]),
                _short(h.get("autograd")),
                _short(h.get("tape")),
                *([_short(h.get("JAX"))] if jax else []),
                _short(t.recording),
                f"{t.pays_after:.0f}",
            ]
        )
    return Table(
        "µs, medians, one process; break-even: evaluations after which recording the tape pays", headings, rows
    )


def run() -> Document:
    """The table of all cases."""
    return Document("Derivatives", [speed_table(measure())])


def _short(microseconds: float | None) -> str:
    if microseconds is None:
        return "–"
    return f"{microseconds:.2f}" if microseconds < 10 else f"{microseconds:.0f}"


# --- the functions, and their gradients by hand ------------------------------------------------------------------


def _beale(np_: Any, x: Any) -> Any:
    a, b = x[0], x[1]
    return (1.5 - a + a * b) ** 2 + (2.25 - a + a * b**2) ** 2 + (2.625 - a + a * b**3) ** 2


def _beale_by_hand(x: Vector) -> tuple[float, Vector]:
    a, b = x.item(0), x.item(1)
    b2 = b * b
    b3 = b2 * b
    r1, r2, r3 = 1.5 - a + a * b, 2.25 - a + a * b2, 2.625 - a + a * b3
    g0 = 2 * (r1 * (b - 1) + r2 * (b2 - 1) + r3 * (b3 - 1))
    g1 = 2 * a * (r1 + 2 * r2 * b + 3 * r3 * b2)
    return r1 * r1 + r2 * r2 + r3 * r3, np.array([g0, g1])


def _rosenbrock(np_: Any, x: Any) -> Any:
    return np_.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def _rosenbrock_by_hand(x: Vector) -> tuple[float, Vector]:
    a = x[:-1]
    r, s = x[1:] - a * a, 1.0 - a
    g = np.zeros_like(x)
    g[1:] = 200.0 * r
    g[:-1] -= 400.0 * r * a + 2.0 * s
    return 100.0 * float(r @ r) + float(s @ s), g


def _logistic(A: Vector, signs: Vector) -> tuple[Callable[[Any, Any], Any], Callable[[Vector], tuple[float, Vector]]]:
    rows = len(A)

    def fun(np_: Any, w: Any) -> Any:
        return np_.mean(np_.logaddexp(0.0, -signs * np_.dot(A, w))) + 0.5e-3 * np_.dot(w, w)

    def by_hand(w: Vector) -> tuple[float, Vector]:
        margins = -signs * (A @ w)
        losses = np.logaddexp(0.0, margins)
        weights = signs * np.exp(margins - losses)
        return float(losses.mean()) + 0.5e-3 * float(w @ w), 1e-3 * w - (weights @ A) / rows

    return fun, by_hand


def _network(X: Vector) -> tuple[Callable[[Any, Any], Any], Callable[[Vector], tuple[float, Vector]]]:
    T = np.sin(X[:, :10])

    def fun(np_: Any, w: Any) -> Any:
        W1, b1 = np_.reshape(w[:900], (30, 30)), w[900:930]
        W2, b2 = np_.reshape(w[930:1230], (30, 10)), w[1230:1240]
        return np_.mean((np_.dot(np_.tanh(np_.dot(X, W1) + b1), W2) + b2 - T) ** 2)

    def by_hand(w: Vector) -> tuple[float, Vector]:
        W1, W2 = w[:900].reshape(30, 30), w[930:1230].reshape(30, 10)
        h = np.tanh(X @ W1 + w[900:930])
        r = h @ W2 + w[1230:1240] - T
        G = (2.0 / r.size) * r
        back = (G @ W2.T) * (1.0 - h * h)
        g = np.concatenate([(X.T @ back).ravel(), back.sum(axis=0), (h.T @ G).ravel(), G.sum(axis=0)])
        return float(np.mean(r * r)), g

    return fun, by_hand
