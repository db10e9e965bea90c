"""What `find_critical_points` and `morse_graph` find where the number of points is known, and what it takes."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import newtonkit
from comparisons.studies.finder_cases import Function, Landscape, landscapes
from newtonkit.enumeration.points import CriticalPoints

_UNITS = {
    "as it is": (1.0, 1.0),
    "f × 1e-12": (1e-12, 1.0),
    "f × 1e12": (1e12, 1.0),
    "last variable in 1e-9": (1.0, 1e-9),
}
_LARGEST_GRAPH = 600  # points; above, following the ways takes longer than all lists together
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def show(console: Console, names: Sequence[str] = (), *, scale: bool = False) -> list[Trial]:
    """Print both tables; returns the trials that differ from what is known."""
    chosen = named(names)
    trials = [tried(landscape, units) for units in (_UNITS if scale else ["as it is"]) for landscape in chosen]
    console.print(count_table(trials))
    wrong = [trial for trial in trials if not trial.right]
    for trial in wrong:
        console.print(f"  differs: {trial.landscape.name}, {trial.units}: known are {_listed(trial.landscape.counts)}")
        console.print(trial.points.summary())
    console.print(f"{len(trials) - len(wrong)} of {len(trials)} lists are as known, and proved complete")
    console.print(graph_table([trial for trial in trials if trial.units == "as it is"]))
    return wrong


def named(names: Sequence[str]) -> list[Landscape]:
    """The landscapes of these names; all of them where none is given."""
    found = landscapes()
    known = list(dict.fromkeys(landscape.name for landscape in found))
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise ValueError(f"--function must be the name of a function of the table, got {name!r}; {hint}")
    return [landscape for landscape in found if not names or landscape.name in names]


# --- the lists --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trial:
    """The list of a landscape's critical points."""

    landscape: Landscape
    units: str
    points: CriticalPoints
    seconds: float

    @property
    def counts(self) -> tuple[int, ...]:
        """Points found, by index."""
        return tuple(len(self.points.by_index(k)) for k in range(len(self.landscape.box) + 1))

    @property
    def right(self) -> bool:
        """Whether these are as many as there are, and that is proved."""
        agree = self.counts == self.landscape.counts and len(self.points) == sum(self.landscape.counts)
        return agree and self.points.complete and not self.points.audit.contradicts


def tried(landscape: Landscape, units: str = "as it is") -> Trial:
    """`find_critical_points` on it, in other units of f or of its last variable."""
    f_unit, x_unit = _UNITS[units]
    *others, (low, high) = landscape.box
    fun = landscape.fun if units == "as it is" else _in_units(landscape.fun, f_unit, x_unit, len(landscape.box))
    began = time.perf_counter()
    points = newtonkit.find_critical_points(fun, [*others, (x_unit * low, x_unit * high)])
    return Trial(landscape, units, points, time.perf_counter() - began)


def _in_units(fun: Function, f_unit: float, x_unit: float, n: int) -> Function:
    factors = np.append(np.ones(n - 1), 1.0 / x_unit)
    return lambda x: f_unit * fun(x * factors)


def count_table(trials: Sequence[Trial]) -> Table:
    """One row for each list."""
    table = Table(title="critical points in a box", title_justify="left", box=None)
    headings = ("f", "box", "units", "points", "by index", "known from", "boxes", "seconds", "proved complete", "audit")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in ("points", "boxes", "seconds") else "left")
    for trial in trials:
        points, landscape = trial.points, trial.landscape
        table.add_row(
            landscape.name,
            _box(landscape),
            trial.units,
            str(len(points)),
            _listed(trial.counts),
            landscape.known if trial.right else f"{landscape.known}: {_listed(landscape.counts)}",
            f"{points.processed:,}".replace(",", " "),
            f"{trial.seconds:.2f}",
            "yes" if points.complete else "no",
            _audited(points),
        )
    return table


def _box(landscape: Landscape) -> str:
    """A product of intervals, as a power where they are equal."""
    sides = [f"[{low:g}, {high:g}]".replace("-", "−") for low, high in landscape.box]
    return sides[0] + str(len(sides)).translate(_SUPERSCRIPTS) if len(set(sides)) == 1 else "×".join(sides)


def _listed(counts: Sequence[int]) -> str:
    return ", ".join(map(str, counts))


def _audited(points: CriticalPoints) -> str:
    """Σ(−1)^index, and whether it is the degree on the boundary."""
    expected, found = points.audit.expected, points.audit.found
    if expected.value is None or found is None:
        return "not known"
    return f"{found} {'≠' if points.audit.contradicts else '='} {expected.value}, {expected.level}"


# --- the graphs -------------------------------------------------------------------------------------------------------


def graph_table(trials: Sequence[Trial]) -> Table:
    """What the Morse graphs of the shorter lists consist of, and how long the ways down from a pass are."""
    table = Table(title="Morse graphs", title_justify="left", box=None)
    for heading in ("f", "box", "minima", "passes", "that join", "steps: median", "most", "ways that leave", "seconds"):
        table.add_column(heading, justify="left" if heading in ("f", "box") else "right")
    for trial in trials:
        if len(trial.points) <= _LARGEST_GRAPH:
            table.add_row(trial.landscape.name, _box(trial.landscape), *_graph_figures(trial))
    return table


def _graph_figures(trial: Trial) -> Iterator[Any]:
    began = time.perf_counter()
    graph = newtonkit.morse_graph(trial.landscape.fun, trial.points)
    seconds = time.perf_counter() - began
    sides = [side for each in graph.passes for side in each.sides]
    steps = [len(side.path) - 1 for side in sides]
    yield from (str(len(part)) for part in (graph.minima, graph.passes, graph.merges))
    yield f"{np.median(steps):.0f}" if steps else "–"
    yield str(max(steps, default=0))
    yield str(sum(side.end is None for side in sides))
    yield f"{seconds:.2f}"
