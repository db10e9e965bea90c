"""The report as Markdown, with its figures as files beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from comparisons.core.endings import CLASSES
from comparisons.core.labels import number, where
from comparisons.core.runs import Run
from comparisons.report import figures
from comparisons.report.contents import Contents
from comparisons.report.figures import Picture
from comparisons.report.grid import MARKS
from comparisons.report.sections import Section

_SPECIAL = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>|#$"})


def markdown(found: Contents) -> str:
    """The whole report as one text."""
    parts = [
        "# A comparison of optimizers",
        *_loud(found),
        "## What was compared, and how",
        _list(found.how),
        "## In short",
        _list(found.short) or f"Nothing could be scored: {_text(found.unscored)}.",
        "## Where the runs ended",
        _table(
            ["method", "runs", *CLASSES, "solved", "relative cost", "cheapest", "false successes"],
            (
                [
                    _text(entry.method),
                    entry.runs,
                    *(entry.endings[name] or "·" for name in CLASSES),
                    f"{entry.solved} of {entry.known}",
                    number(entry.relative_cost, 3),
                    entry.cheapest,
                    entry.false_successes,
                ]
                for entry in found.methods
            ),
        ),
        "## At a glance",
        _glance(found),
        "## Scores",
        *(_picture(picture) for picture in found.plates),
        "## The audit of the counters",
        _text(found.audited) or "No solver reported any counters.",
        _list(entry.words for entry in found.wrong),
        "## Check against scipy",
        _check(found),
        "## Problems",
        *_problems(found.sections),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def point(x: Sequence[float] | None, most: int = 8) -> str:
    """A point in brackets; of a long one the first coordinates."""
    if x is None:
        return "known by its value only"
    shown = [number(float(value), 8) for value in x[:most]]
    return "(" + ", ".join(shown) + (", …" if len(x) > most else "") + ")"


def _loud(found: Contents) -> list[str]:
    said = [
        f"**{_text(run.method)} on {_text(run.problem)} from {_text(run.start)} ended at f = {run.f!r}, below the "
        "lowest minimum on record: a fact of the catalogue is wrong.**"
        for run in found.beaten
    ]
    if found.failed:
        said.append(f"**{len(found.failed)} of {len(found.findings)} checks against scipy failed: see below.**")
    return said


def _glance(found: Contents) -> str:
    head = ["", *(_text(entry.method) for entry in found.methods)]
    rows = (
        [
            _text(line.label),
            *("" if square is None else square.text + ("!" if square.wrong else "") for square in line.squares),
        ]
        for line in found.grid
    )
    marks = "; ".join(f"{mark} {words}" for mark, words in MARKS.values())
    words = (
        "A number says that the run came to the lowest known minimum, and at how many times the cost of the cheapest "
        f"that did (1 is the best). {marks}; ! success claimed at a point that is no minimum."
    )
    return f"{_table(head, rows)}\n\n{words}"


def _check(found: Contents) -> str:
    if not found.findings:
        return "Nothing was checked: no run of newton, bfgs or lbfgs is among these."
    return "\n".join(
        [
            f"{len(found.passed)} of {len(found.findings)} passed.",
            "",
            *(f"- FAILED: {_text(f'{f.method} on {f.problem} from {f.start}: {f.sentence}')}." for f in found.failed),
            *(
                f"- {_text(f'{mine} and {theirs}')}: "
                + ", ".join(f"{amount} × {agreement.value}" for agreement, amount in row.items())
                + "."
                for (mine, theirs), row in found.twins.items()
            ),
        ]
    )


def _problems(sections: Sequence[Section]) -> Iterable[str]:
    if len(sections) > figures.MOST:
        yield f"The tables of all {len(sections)} problems and starts are in `report.html`."
        return
    for section in sections:
        yield f"### {_text(section.title)}"
        yield _text(section.summary)
        yield _table(
            ["method", "ended at", "f − f*", "‖g‖∞", "f", "g", "H", "Hv", "cost", "cost until accurate", "stopped by"],
            (_row(run) for run in section.runs),
        )
        yield from (_picture(picture) for picture in section.pictures)


def _row(run: Run) -> list[Any]:
    counts = run.counts
    return [
        _text(run.method),
        where(run),
        number(run.gap, 3),
        number(run.gradient_norm, 3),
        *(counts.f, counts.g, counts.H, counts.Hv),
        run.cost,
        run.price if run.met else "–",
        _text(run.reason),
    ]


def _picture(picture: Picture) -> str:
    return f"![{_text(picture.alt)}](figures/{picture.name}.svg)\n\n*{_text(picture.title)}.* {_text(picture.caption)}"


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _list(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {_text(sentence)}" for sentence in sentences)


def _text(plain: str) -> str:
    """The text with nothing in it that Markdown or HTML would obey."""
    return plain.translate(_SPECIAL).replace("\n", " ")
