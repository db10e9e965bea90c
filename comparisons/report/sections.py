"""One section for each problem and start: how its runs ended, in a sentence, a table and figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from comparisons.core.labels import (
    Ending,
    cheapest,
    count,
    ending,
    false_success,
    gap_in_words,
    groups,
    in_words,
    listing,
    problem_of,
    times,
)
from comparisons.core.runs import Run
from comparisons.plots.overview import row_labels
from comparisons.report import figures
from comparisons.report.figures import Picture
from problems import Problem

_TAKEN = (
    "overview",
    "top",
    "what",
    "short",
    "ends",
    "glance",
    "scores",
    "audit",
    "check",
    "problems",
    "rates",
    "words",
)


@dataclass(frozen=True)
class Section:
    """One problem from one start."""

    anchor: str
    title: str
    problem: Problem | None
    runs: Sequence[Run]
    summary: str
    pictures: Sequence[Picture] = field(default=())

    @property
    def first(self) -> Run:
        """What all its runs have in common stands in each of them."""
        return self.runs[0]


def sections(runs: Sequence[Run]) -> list[Section]:
    """The sections, without figures."""
    found: list[Section] = []
    used = set(_TAKEN)
    for title, members in zip(row_labels(runs), groups(runs).values(), strict=True):
        anchor = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "problem"
        while anchor in used:
            anchor += "-x"
        used.add(anchor)
        found.append(Section(anchor, title, problem_of(members[0]), members, summary(members)))
    return found


def illustrated(plain: Sequence[Section], jobs: int = 1) -> list[Section]:
    """The same with their figures."""
    drawn = figures.of_sections([section.anchor for section in plain], [section.runs for section in plain], jobs)
    return [replace(section, pictures=found) for section, found in zip(plain, drawn, strict=True)]


def summary(runs: Sequence[Run]) -> str:
    """How the runs of one problem from one start ended, in a sentence or two."""
    there = [run for run in runs if ending(run) is Ending.LOWEST]
    if all(run.gap is None for run in runs):
        wrong = [run.method for run in runs if false_success(run)]
        claim = f"success is claimed, wrongly, by {listing(wrong)}" if wrong else "no method claims to have found one"
        return f"No minimum is known here: the right answer is to claim none, and {claim}."
    first = cheapest(runs)
    everyone = len(there) == len(runs) > 1
    share = f"All {len(runs)} methods" if everyone else f"{len(there)} of {count(len(runs), 'method')}"
    text = f"{share} came to the lowest known minimum, and as close as was asked"
    if first is None:
        return text + "."
    text += f"; the cheapest is {in_words(first.method)} at cost {first.price} ({gap_in_words(first)} at its end)"
    dearest = max(there, key=lambda run: run.price)
    if dearest.price > 2 * first.price:
        ratio = times(dearest.price / first.price)
        text += f", the dearest {in_words(dearest.method)} at {dearest.price}, {ratio} times as much"
    return text + "."
