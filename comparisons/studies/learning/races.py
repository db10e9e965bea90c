"""Races of first-order methods, Newton, BFGS and L-BFGS on functions of two variables, by a clock that counts cost.

The long valley, Beale's function and the saddle are those of teaching documents, which show only figures of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import problems
from comparisons.core.endings import Ending
from comparisons.core.labels import FIRST_ORDER, count, ending_label, family, full_name, listing, number
from comparisons.report.document import Document, Figure, Table
from comparisons.report.tuning_tables import search_table
from comparisons.studies.learning.animation import FRAMES, can_write_mp4, shoot, write_gif, write_mp4
from comparisons.studies.learning.baselines import SHARE, Baselines, cost_until, run_baselines
from newtonkit.core.validation import check_integer

METHODS = (
    "newton",
    "bfgs",
    "lbfgs",
    "gd-linesearch",
    "gd",
    "momentum",
    "nesterov",
    "adagrad",
    "rmsprop",
    "adadelta",
    "adam",
    "nadam",
)
_EARLY = 1e-2  # of the initial f − f*: an early target


class Race(NamedTuple):
    """A function and the start of all methods."""

    problem: str
    start: str
    title: str


RACES = {
    "valley": Race("long-valley", "standard", "The long valley"),
    "beale": Race("beale", "document", "Beale's function"),
    "saddle": Race("strict-saddle", "standard", "The saddle, near its stable manifold"),
    "stable-manifold": Race("strict-saddle", "stable-manifold", "The saddle, on its stable manifold"),
    "minima": Race("six-hump-camel", "standard", "Several minima"),
}


def run(out: Path, *, seed: int = 0, quick: bool = False, race: str | None = None, budget: int = 500) -> Document:
    """Five races, or one of them: an animation, costs and rates for each.

    Nothing here is random, so ``seed`` changes nothing; ``quick`` tunes over few rates and draws few frames.

    Parameters
    ----------
    race : str, optional
        One of "valley", "beale", "saddle", "stable-manifold", "minima"; default: all.
    budget : int, at least 2, default 500
        Gradients of a run, and of each rate in the tuning.
    """
    if race is not None and race not in RACES:
        raise ValueError(f"race must be one of {', '.join(RACES)}, got {race!r}")
    check_integer("budget", budget, 2)
    mp4 = can_write_mp4()
    tables: list[Table] = []
    figures: list[Figure] = []
    for name in RACES if race is None else [race]:
        chosen = RACES[name]
        baselines = run_baselines(problems.get(chosen.problem), chosen.start, METHODS, budget=budget, quick=quick)
        frames = shoot(
            baselines.runs, baselines.problem, chosen.title, frames=12 if quick else FRAMES, names=_names(baselines)
        )
        alt = f"{chosen.title}: a race of {count(len(METHODS), 'method')}, as an animation."
        figures.append(Figure(write_gif(frames, out / f"{name}.gif", baselines.runs), alt, caption(baselines, chosen)))
        if mp4:
            figures.append(Figure(write_mp4(frames, out / f"{name}.mp4"), alt, f"{chosen.title}, as MP4."))
        tables += [results(baselines, chosen), search_table(baselines.searches, f"{chosen.title}: learning rates")]
    return Document("Races", [*_rules(baselines, budget, mp4=mp4), *figures, *tables])


def _rules(baselines: Baselines, budget: int, *, mp4: bool) -> list[str]:
    """What is shown, and the conditions of the runs."""
    rates = max(len(found.tuning.grid) for found in baselines.searches.values())
    paragraphs = [
        "Every method starts at the white dot and is shown at its point after the cost on the clock, "
        "f + 2 g + 4 Hv + 4k H in evaluations of f. The clock is logarithmic, so that the first steps are visible. "
        "On the right is f − f*, with f* the verified lowest minimum.",
        f"Each run may spend {budget} gradients. The rate of a rule is the best of up to {rates}, tried from "
        f"{count(baselines.held_out, 'start')} nearby that are not shown, on a grid of half decades and then between "
        "the best and its neighbours. If no rate converges, the one with the lowest final level of f is used; "
        "this level is in brackets. Other options have their defaults. The cost of tuning is not included; Newton, "
        "BFGS, L-BFGS and gd-linesearch need no tuning.",
        "If there are several minima, it is not a merit of a method which one it reaches: methods that descend "
        "monotonically find a near one, and a rule with a large rate may jump to the lowest.",
        "AdamW is not among them: its weight decay changes what is minimized.",
    ]
    if not mp4:
        paragraphs.append("ffmpeg is not installed: the animations are written as GIF only, not as MP4.")
    return paragraphs


def _names(baselines: Baselines) -> dict[str, str]:
    """With the rates."""
    return {run.method: f"{run.method} η = {number(run.tuning.rate, 2)}" for run in baselines.runs if run.tuning}


def results(baselines: Baselines, race: Race) -> Table:
    """A row for each method: its end, and the cost to two targets of f − f*."""
    rows = []
    for run in baselines.runs:
        costs = [cost_until(run, share) for share in (_EARLY, SHARE)]
        rows.append(
            [
                run.method,
                ending_label(run),
                number(None if run.gap is None else max(run.gap, 0.0), 2),
                str(run.nit),
                *("never" if cost is None else str(cost) for cost in costs),
            ]
        )
    heads = (
        "method",
        "ended at",
        "f − f*",
        "iterations",
        f"cost until {number(_EARLY)}",
        f"cost until {number(SHARE)}",
    )
    return Table(f"{race.title}: {baselines.problem.formula}", heads, rows, text=(0, 1))


def caption(baselines: Baselines, race: Race) -> str:
    """The winner, the best of the other kind of methods, and the runs that ended elsewhere."""
    x, y = baselines.problem.starts[race.start]
    sentences = [f"{race.title}: f = {baselines.problem.formula} from ({number(float(x))}, {number(float(y))})."]
    costs = {run.method: cost for run in baselines.runs if (cost := cost_until(run)) is not None}
    order = sorted(costs, key=lambda method: costs[method])
    plain = [method for method in order if family(method) == FIRST_ORDER]
    curved = [method for method in order if family(method) != FIRST_ORDER]
    if order:
        first, others, kind = (order[0], plain, "first-order methods")
        if first in plain:
            others, kind = curved, "methods that use curvature"
        sentences.append(
            f"{full_name(first)} first reduces f − f* to {number(SHARE)} of its size, at cost {costs[first]}."
        )
        sentences.append(
            f"The first of the {kind} is {full_name(others[0])}, at {costs[others[0]]}."
            if others
            else f"None of the {kind} reaches it."
        )
        early = {run.method: cost for run in baselines.runs if (cost := cost_until(run, _EARLY)) is not None}
        ahead = min(early, key=lambda method: early[method])
        if early[ahead] < early[first]:
            sentences.append(f"To {number(_EARLY)} of it, {full_name(ahead)} is first, at {early[ahead]}.")
    else:
        sentences.append(f"No method brings f − f* to {number(SHARE)} of its initial value.")
    for place in (Ending.SADDLE, Ending.LOCAL):
        there = [run.method for run in baselines.runs if run.ending is place]
        if there:
            sentences.append(f"Ended {place.description}: {listing(there, most=len(METHODS))}.")
    return " ".join(sentences)
