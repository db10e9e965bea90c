"""Critical points that are hard to classify, with their kinds: known examples, and normal forms in random variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import autograd.numpy as anp
import numpy as np
from numpy.typing import NDArray

import problems

Vector = NDArray[np.float64]
Function = Callable[[Any], Any]

SADDLE, MINIMUM, MAXIMUM = "degenerate saddle", "degenerate minimum", "degenerate maximum"


class Case(NamedTuple):
    """A function at or near a critical point."""

    name: str
    distance: float
    """Standard deviation of each variable from the exact point."""
    kind: str
    """Kind of the critical point."""
    fun: Function
    x: Vector


# from Thom's list and the families that Arnold calls A, D, E, X; u, v, w are the new variables
NORMAL_FORMS: dict[str, tuple[int, str, Function]] = {
    "A2: u³ + v²": (2, SADDLE, lambda u: u[0] ** 3 + u[1] ** 2),
    "A2: u³ - v²": (2, SADDLE, lambda u: u[0] ** 3 - u[1] ** 2),
    "A3: u⁴ + v²": (2, MINIMUM, lambda u: u[0] ** 4 + u[1] ** 2),
    "A3: -u⁴ - v²": (2, MAXIMUM, lambda u: -(u[0] ** 4) - u[1] ** 2),
    "A3: -u⁴ + v²": (2, SADDLE, lambda u: -(u[0] ** 4) + u[1] ** 2),
    "A4: u⁵ + v²": (2, SADDLE, lambda u: u[0] ** 5 + u[1] ** 2),
    "A5: u⁶ + v²": (2, MINIMUM, lambda u: u[0] ** 6 + u[1] ** 2),
    "A3: u⁴ + v² + 2w²": (3, MINIMUM, lambda u: u[0] ** 4 + u[1] ** 2 + 2.0 * u[2] ** 2),
    "D4-: u³ - 3uv²": (2, SADDLE, lambda u: u[0] ** 3 - 3.0 * u[0] * u[1] ** 2),
    "D4+: u³ + v³": (2, SADDLE, lambda u: u[0] ** 3 + u[1] ** 3),
    "D4-: u³ - 3uv² + w²": (3, SADDLE, lambda u: u[0] ** 3 - 3.0 * u[0] * u[1] ** 2 + u[2] ** 2),
    "D5: u²v + v⁴": (2, SADDLE, lambda u: u[0] ** 2 * u[1] + u[1] ** 4),
    "E6: u³ + v⁴": (2, SADDLE, lambda u: u[0] ** 3 + u[1] ** 4),
    "X9: u⁴ + v⁴": (2, MINIMUM, lambda u: u[0] ** 4 + u[1] ** 4),
    "X9: u⁴ + v⁴ + w²": (3, MINIMUM, lambda u: u[0] ** 4 + u[1] ** 4 + u[2] ** 2),
    "X9: u⁴ - v⁴": (2, SADDLE, lambda u: u[0] ** 4 - u[1] ** 4),
    "Peano: (v - u²)(v - 2u²)": (2, SADDLE, lambda u: (u[1] - u[0] ** 2) * (u[1] - 2.0 * u[0] ** 2)),
}


def circle(x: Any) -> Any:
    """Critical on the unit circle, and at its centre."""
    return (x[0] ** 2 + x[1] ** 2 - 1.0) ** 2


def hyperbola(x: Any) -> Any:
    """Critical on the hyperbola, and between its branches."""
    return (x[0] * x[1] - 1.0) ** 2


def peano(x: Any) -> Any:
    """A minimum along every line through 0, but not along the parabola y = 1.5x²."""
    return (x[1] - x[0] ** 2) * (x[1] - 2.0 * x[0] ** 2)


def cube_roots(x: Any) -> Any:
    """|z³ − 1|² of z = x + iy."""
    return (x[0] ** 3 - 3.0 * x[0] * x[1] ** 2 - 1.0) ** 2 + (3.0 * x[0] ** 2 * x[1] - x[1] ** 3) ** 2


def network(layers: int) -> tuple[Function, list[float]]:
    """Squared error of a tanh network 2-2-…-1 without biases on four points, as a function of its weights; and zero."""
    X, y = np.array([[0.5, -1.0], [1.0, 0.3], [-0.7, 0.8], [0.2, 1.1]]), np.array([0.3, 0.9, -0.2, 0.4])

    def fun(w: Any) -> Any:
        h = X
        for k in range(layers - 1):
            h = anp.tanh(anp.dot(h, anp.reshape(w[4 * k : 4 * k + 4], (2, 2))))
        return anp.mean((anp.dot(h, w[-2:]) - y) ** 2)

    return fun, [0.0] * (4 * (layers - 1) + 2)


ZOO: list[tuple[str, Function, Sequence[float], str]] = [
    ("x³ - 3xy² at 0", lambda x: x[0] ** 3 - 3.0 * x[0] * x[1] ** 2, [0.0, 0.0], SADDLE),
    ("x⁴ + y⁴ at 0", lambda x: x[0] ** 4 + x[1] ** 4, [0.0, 0.0], MINIMUM),
    ("x² - y⁴ at 0", lambda x: x[0] ** 2 - x[1] ** 4, [0.0, 0.0], SADDLE),
    ("Peano's (y - x²)(y - 2x²) at 0", peano, [0.0, 0.0], SADDLE),
    ("Powell's singular function at 0", problems.get("powell-singular").fun, [0.0] * 4, MINIMUM),
    ("the circle (x² + y² - 1)² at (0.6, 0.8)", circle, [0.6, 0.8], "valley"),
    ("the circle's centre", circle, [0.0, 0.0], "maximum"),
    ("the hyperbola (xy - 1)² at (2, 1/2)", hyperbola, [2.0, 0.5], "valley"),
    ("the hyperbola at 0", hyperbola, [0.0, 0.0], "saddle"),
    ("x²y² at 0, where two valleys cross", lambda x: x[0] ** 2 * x[1] ** 2, [0.0, 0.0], "valley"),
    ("x² + y³ at 0", lambda x: x[0] ** 2 + x[1] ** 3, [0.0, 0.0], SADDLE),
    ("|z³ - 1|² at 0", cube_roots, [0.0, 0.0], SADDLE),
    ("|z³ - 1|² at a root", cube_roots, [-0.5, 0.75**0.5], "minimum"),
    ("a tanh network of two layers at 0", *network(2), "saddle"),
    ("a tanh network of three layers at 0", *network(3), SADDLE),
]


def disguised(form: Function, n: int, rng: np.random.Generator) -> tuple[Function, Vector]:
    """f(x) = unit·form(A(x − c) + ((x − c)ᵀBᵢ(x − c))ᵢ) and the point c; the unit is within 1e±4."""
    U, V = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(2))
    A = U @ np.diag(np.exp(rng.uniform(-0.8, 0.8, n))) @ V
    B, c, unit = 0.4 * rng.standard_normal((n, n, n)), rng.uniform(-1, 1, n), 10.0 ** rng.uniform(-4, 4)

    def fun(x: Any) -> Any:
        d = x - c
        return unit * form(anp.dot(A, d) + anp.dot(anp.dot(B, d), d))

    return fun, c


def normal_form_cases(seeds: Sequence[int], distances: Sequence[float] = (0.0, 1e-4)) -> Iterator[Case]:
    """Every normal form under one random change of variables for each seed, at the point and near it."""
    for i, (name, (n, kind, form)) in enumerate(NORMAL_FORMS.items()):
        for seed in seeds:
            rng = np.random.default_rng([i, seed])
            fun, c = disguised(form, n, rng)
            for distance in distances:
                yield Case(name, distance, kind, fun, c + distance * rng.standard_normal(n))


def zoo_cases(seeds: Sequence[int], distances: Sequence[float] = (0.0, 1e-4)) -> Iterator[Case]:
    """Every example with f in one random unit within 1e±4 for each seed, at the point and near it."""
    for i, (name, animal, at, kind) in enumerate(ZOO):
        for seed in seeds:
            rng = np.random.default_rng([len(NORMAL_FORMS) + i, seed])
            unit, x = 10.0 ** rng.uniform(-4, 4), np.array(at)
            for distance in distances:
                fun = _in_unit(animal, unit)
                yield Case(name, distance, kind, fun, x + distance * rng.standard_normal(x.size))


def _in_unit(fun: Function, unit: float) -> Function:
    return lambda x: unit * fun(x)
