"""The records of a comparison: one `Run` for each problem, start and method, written as JSON lines."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import newtonkit
from comparisons.core.endings import Ending
from comparisons.core.serialization import plain
from comparisons.core.trace import Trace, TracePoint, cost
from newtonkit import Counts

__all__ = [
    "Run",
    "Trace",
    "TracePoint",
    "Tuning",
    "cost",
    "from_record",
    "read_jsonl",
    "record",
    "tuning_from",
    "versions",
    "write_jsonl",
]


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the learning rate of a first-order method was found."""

    rate: float
    grid: tuple[float, ...]
    """The rates that were tried, ascending."""
    converged: tuple[float, ...]
    """Those of them that reached the target within the budget."""
    target: str
    """The target that they had to reach, as text."""
    budget: int
    """Gradients that each rate could use."""


@dataclass(frozen=True, slots=True)
class Run:
    """One method on one problem from one start: its settings, its end and its counts."""

    problem: str
    """The label, parameters included."""
    name: str
    parameters: Mapping[str, Any]
    n: int
    start: str
    method: str
    """The name of our method; that of scipy's with the prefix ``scipy:``."""
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
    """The kind of the known critical point at which it ended; None if it ended elsewhere."""
    reached_f: float | None
    """f at that critical point."""
    gap: float | None
    """f − f*, with f* the lowest known minimum; None if no minimum is known."""
    counts: Counts
    checks: Counts
    reported: Mapping[str, int]
    """The counts that the solver itself reports."""
    cost: int
    nit: int
    seconds: float
    trace: Trace = field(repr=False)
    tuning: Tuning | None = None
    versions: Mapping[str, str] = field(default_factory=dict, repr=False)
    x_start: tuple[float, ...] = ()
    ending: Ending = Ending.ELSEWHERE
    """Where it ended, see `comparisons.core.endings.classify_ending`."""
    lambda_min: float | None = None
    """The lowest eigenvalue of the Hessian at the end; None if it is not known."""
    distance: float | None = None
    """‖x − x*‖ / max(1, ‖x*‖) to the known critical point nearest to the end; None if none is known."""
    mode: str = "budget"
    """What decides the end of a run: see `comparisons.running.protocol.Protocol`."""
    gtol: float | None = None
    """The tolerance on ‖g‖∞; 0: continue as far as rounding allows; None: the solver's own."""
    seed: int = 0
    """The seed of the random starts."""

    @property
    def ours(self) -> bool:
        """Whether the method is one of newtonkit."""
        return not self.method.startswith("scipy:")

    @property
    def at_minimum(self) -> bool:
        """Whether it ended at a known minimum."""
        return self.reached is not None and "minimum" in self.reached


def versions() -> dict[str, str]:
    """The versions of all packages that may change a figure."""
    installed = {name: version(name) for name in ("numpy", "scipy", "autograd")}
    return {"python": platform.python_version(), "newtonkit": newtonkit.__version__} | installed


def record(run: Run) -> dict[str, Any]:
    """The run as plain JSON values, without its trace; numbers that are not finite become "nan", "inf", "-inf"."""
    found = _fields(run)
    del found["trace"]
    plain_record: dict[str, Any] = plain(found)
    return plain_record


def from_record(data: Mapping[str, Any], arrays: Mapping[str, Any]) -> Run:
    """The run from its `record` and the arrays of its trace.

    Raises
    ------
    KeyError, TypeError, ValueError
        If an entry is missing or has the wrong type.
    """
    found = dict(data)
    for name in ("f", "f_start", "gradient_norm", "gap", "seconds", "reached_f", "lambda_min", "distance"):
        found[name] = _number(found.get(name))
    for name in ("x", "x_start"):
        found[name] = tuple(map(_number, found.get(name, ())))
    found["ending"] = Ending(found.get("ending", "elsewhere"))
    found["counts"], found["checks"] = Counts(**found["counts"]), Counts(**found["checks"])
    if found["tuning"] is not None:
        found["tuning"] = tuning_from(found["tuning"])
    return Run(**found, trace=Trace.from_arrays(found["n"], arrays))


def tuning_from(data: Mapping[str, Any]) -> Tuning:
    """The tuning from its fields."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return Tuning(**values)


def write_jsonl(runs: Iterable[Any], path: Path) -> None:
    """Write one JSON object a line, each from a `Run` or another dataclass; see `record`."""
    with path.open("w", encoding="utf-8") as file:
        for run in runs:
            file.write(json.dumps(plain(_fields(run)), ensure_ascii=False, allow_nan=False) + "\n")


def read_jsonl(path: Path) -> Iterator[Run]:
    """Read the runs that `write_jsonl` wrote.

    Raises
    ------
    ValueError
        With the number of a line that is not a run.
    """
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                data = json.loads(line)
                yield from_record(data, data.pop("trace"))
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: no record of a run ({error})") from error


def _fields(value: Any) -> Any:
    """Dataclasses and traces as mappings, nested ones included."""
    if isinstance(value, Trace):
        return {name: column.tolist() for name, column in value.arrays().items()}
    if dataclasses.is_dataclass(value):
        return {entry.name: _fields(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
    return value


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value
