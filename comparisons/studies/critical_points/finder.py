"""Tests of `find_critical_points` and `morse_graph` where the number of points is known, with their cost."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import newtonkit
from comparisons.report.document import Document, Note, Row, Table
from comparisons.studies.critical_points.finder_cases import Function, Landscape, landscapes
from newtonkit.enumeration.points import CriticalPoints

_UNITS = {
    "as it is": (1.0, 1.0),
    "f × 1e-12": (1e-12, 1.0),
    "f × 1e12": (1e12, 1.0),
    "last variable in 1e-9": (1.0, 1e-9),
}
_LARGEST_GRAPH = 600  # points; above, following the paths takes longer than all lists together
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def run(names: Sequence[str] = (), *, scale: bool = False) -> Document:
    """Both tables, with a bad note for each list that differs from the truth or is not proved complete.

    Parameters
    ----------
    names : sequence of str, default: all
        Functions of the table.
    scale : bool, default False
        Also with f and the last variable in other units.
    """
    chosen = named(names)
    trials = [tried(landscape, units) for units in (_UNITS if scale else ["as it is"]) for landscape in chosen]
    wrong = [trial for trial in trials if not trial.right]
    notes = [
        Note(
            f"differs: {trial.landscape.name}, {trial.units}: the known counts are {_listed(trial.landscape.counts)}\n"
            f"{trial.points.summary()}",
            "bad",
        )
        for trial in wrong
    ]
    total = f"{len(trials) - len(wrong)} of {len(trials)} lists agree with the known counts and are proved complete"
    graphs = graph_table([trial for trial in trials if trial.units == "as it is"])
    return Document("Enumeration of critical points", [count_table(trials), *notes, total, graphs])


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
    headings = ("f", "box", "units", "points", "by index", "source", "boxes", "seconds", "proved complete", "audit")
    rows: list[Row] = []
    for trial in trials:
        points, landscape = trial.points, trial.landscape
        rows.append(
            [
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
            ]
        )
    return Table("Critical points in a box", headings, rows, text=(0, 1, 2, 4, 5, 8, 9))


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
    """The size of the Morse graphs of the shorter lists, and the lengths of the descent paths from index-1 saddles."""
    headings = ("f", "box", "minima", "saddles", "that join", "steps: median", "most", "paths that leave", "seconds")
    rows = [
        [trial.landscape.name, _box(trial.landscape), *_graph_figures(trial)]
        for trial in trials
        if len(trial.points) <= _LARGEST_GRAPH
    ]
    return Table("Morse graphs", headings, rows, text=(0, 1))


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
