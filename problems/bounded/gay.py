"""Problems of Moré, Garbow and Hillstrom with the bounds of Gay (1984)."""

from __future__ import annotations

from typing import Any

from problems.base import Problem
from problems.bounded.bounded_problem import CERTIFIED, CLASSIFIED, with_bounds
from problems.registry import get, register

SOURCE = "Gay 1984, A trust-region approach to linearly constrained optimization, Lecture Notes in Math. 1066, 72-105"

# name of the problem without bounds: (parameters, lower bounds, upper bounds)
BOUNDS: dict[str, tuple[dict[str, Any], list[float], list[float]]] = {
    "rosenbrock": ({}, [-50, 0], [0.5, 100]),
    "freudenstein-roth": ({}, [0, -30], [20, -0.9]),
    "jennrich-sampson": ({}, [0.26, 0], [10, 20]),
    "helical-valley": ({}, [-100, -1, -1], [0.8, 1, 1]),
    "bard": ({}, [0.1, 0, 0], [50, 100, 50]),
    "box-3d": ({}, [0, 5, 0], [2, 9.5, 20]),
    "powell-singular": ({}, [0.1, -20, -1, -1], [100, 20, 1, 50]),
    "kowalik-osborne": ({}, [0, -1, 0.13, 0.12], [10, 12, 13, 12]),
    "brown-dennis": ({}, [-10, 0, -100, -20], [100, 15, 0, 0.2]),
    "osborne-1": ({}, [0, 0, -50, 0, 0], [50, 1.9, -0.1, 10, 10]),
    "watson": ({"n": 6}, [-0.015, *[-10] * 5], [10, *[100] * 4, 0.99]),
    "brown-almost-linear": ({"n": 10}, [0, 1, *[0] * 8], [100, 100, 0.9, *[100] * 7]),
    "chebyquad": ({"n": 8}, [0, 0, 0.1, *[0] * 5], [0.04, 0.2, 0.3, *[1] * 5]),
}


def _register(base: str, parameters: dict[str, Any], lower: list[float], upper: list[float]) -> None:
    name = f"{base}-bounded"

    @register(name, tags=("bounded",), summary=f"{base} with the bounds of Gay")
    def build() -> Problem:
        problem = get(base, **parameters)
        return with_bounds(
            name,
            problem.fun,
            lower,
            upper,
            {"standard": problem.starts["standard"]},
            # intervals do not support the angle in the helical valley
            verified=CLASSIFIED if base == "helical-valley" else CERTIFIED,
            symmetric=base == "chebyquad",
            formula=f"{problem.formula},  {tuple(lower)} ≤ x ≤ {tuple(upper)}",
            references=(SOURCE, *problem.references),
        )


for _base, (_parameters, _lower, _upper) in BOUNDS.items():
    _register(_base, _parameters, _lower, _upper)
