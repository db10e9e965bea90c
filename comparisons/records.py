"""The records of a comparison: one `Run` for each problem, start and method, written as JSON lines."""

from __future__ import annotations

import dataclasses
import json
import math
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import newtonkit
from newtonkit import Counts

# Cost in units of one f, by the theory of automatic differentiation (Griewank & Walther, 2008, sections 3.3 and 5.1,
# rounded): a gradient costs about two more than the f that comes with it, a Hessian-vector product twice a gradient,
# a dense Hessian n products.
COST_OF_F = 1
COST_OF_GRADIENT = 2
COST_OF_PRODUCT = 4


def cost(counts: Counts, n: int) -> int:
    """The evaluations of a run in one number, in units of one f: f + 2g + 4Hv + 4nH."""
    return (
        COST_OF_F * counts.f
        + COST_OF_GRADIENT * counts.g
        + COST_OF_PRODUCT * counts.Hv
        + COST_OF_PRODUCT * n * counts.H
    )


@dataclass(frozen=True, slots=True)
class TracePoint:
    """One iteration of a run."""

    cost: int
    """Cost until then, see `cost`."""
    f: float
    gradient_norm: float
    """‖g‖∞; NaN where the solver did not evaluate the gradient at this point."""
    x: tuple[float, ...] = ()
    """The point, for problems of two variables only."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the learning rate of a first-order method was found."""

    rate: float
    grid: tuple[float, ...]
    """The rates that were tried, ascending."""
    converged: tuple[float, ...]
    """Those of them that reached the target within the budget."""
    target: str
    """What they were asked to reach, in words."""
    budget: int
    """Gradients a rate was given."""


@dataclass(frozen=True, slots=True)
class Run:
    """One method on one problem from one start: what it was asked, where it ended, what that cost."""

    problem: str
    """The label, parameters included."""
    name: str
    parameters: Mapping[str, Any]
    n: int
    start: str
    method: str
    """Ours by its name; scipy's with the prefix ``scipy:``."""
    options: Mapping[str, Any]
    x: tuple[float, ...]
    f: float
    f_start: float
    gradient_norm: float
    success: bool
    reason: str
    message: str
    verdict: str
    """Kind of the endpoint by `newtonkit.classify`, the same for every method."""
    verdict_reason: str
    index: int | None
    reached: str | None
    """The known critical point at which it ended: its kind, and f there; None where it ended elsewhere."""
    reached_f: float | None
    gap: float | None
    """f − f*, with f* the lowest known minimum; None where no minimum is known."""
    counts: Counts
    checks: Counts
    reported: Mapping[str, int]
    """What the solver itself says it evaluated."""
    cost: int
    nit: int
    seconds: float
    trace: tuple[TracePoint, ...] = field(repr=False)
    tuning: Tuning | None = None
    versions: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def ours(self) -> bool:
        """Whether the method is newtonkit's own."""
        return not self.method.startswith("scipy:")

    @property
    def at_minimum(self) -> bool:
        """Whether it ended at a minimum that the catalogue of problems knows."""
        return self.reached is not None and "minimum" in self.reached


def versions() -> dict[str, str]:
    """Of everything that may change a figure."""
    installed = {name: version(name) for name in ("numpy", "scipy", "autograd")}
    return {"python": platform.python_version(), "newtonkit": newtonkit.__version__} | installed


def write_jsonl(runs: Iterable[Any], path: Path) -> None:
    """One JSON object a line; numbers that are not finite become the strings "nan", "inf", "-inf"."""
    with path.open("w", encoding="utf-8") as file:
        for run in runs:
            file.write(json.dumps(_plain(dataclasses.asdict(run)), ensure_ascii=False, allow_nan=False) + "\n")


def read_jsonl(path: Path) -> Iterator[Run]:
    """The runs that `write_jsonl` wrote.

    Raises
    ------
    ValueError
        Naming the line that is no run.
    """
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield _run_from(json.loads(line))
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: no record of a run ({error})") from error


def _run_from(data: dict[str, Any]) -> Run:
    for name in ("f", "f_start", "gradient_norm", "gap", "seconds", "reached_f"):
        data[name] = _number(data[name])
    data["x"] = tuple(map(_number, data["x"]))
    data["counts"], data["checks"] = Counts(**data["counts"]), Counts(**data["checks"])
    data["trace"] = tuple(
        TracePoint(p["cost"], _number(p["f"]), _number(p["gradient_norm"]), tuple(map(_number, p["x"])))
        for p in data["trace"]
    )
    if data["tuning"] is not None:
        tuning = data["tuning"]
        data["tuning"] = Tuning(**tuning | {key: tuple(tuning[key]) for key in ("grid", "converged")})
    return Run(**data)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value
