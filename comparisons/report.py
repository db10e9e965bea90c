"""The report of a comparison: one HTML file that needs no network, and its figures as PNG files beside it."""

from __future__ import annotations

import base64
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from comparisons import pictures
from comparisons.check import Finding
from comparisons.order import orders
from comparisons.overview import row_labels
from comparisons.records import Run
from comparisons.words import (
    Ending,
    cheapest,
    count,
    ending,
    false_success,
    gap_in_words,
    groups,
    in_words,
    listing,
    long_name,
    methods,
    number,
    problem_of,
    times,
    where,
)
from problems import Problem

_AT_LOWEST = (Ending.LOWEST, Ending.CLOSE)


@dataclass(frozen=True)
class Picture:
    """A figure in the page."""

    source: str
    """A data URI."""
    alt: str
    caption: str


@dataclass(frozen=True)
class Section:
    """One problem from one start."""

    anchor: str
    title: str
    problem: Problem | None
    runs: Sequence[Run]
    summary: str
    figures: Sequence[Picture]


@dataclass(frozen=True)
class MethodSummary:
    """One method over all problems."""

    method: str
    runs: int
    known: int
    """Runs on problems of which a minimum is known."""
    lowest: int
    other: int
    relative_cost: float | None
    """Median, over the problems solved, of cost relative to the cheapest run there."""
    solved: int
    false_successes: int

    @property
    def elsewhere(self) -> int:
        """Runs that ended at no known minimum, though one is known."""
        return self.known - self.lowest - self.other


def write_report(
    runs: Sequence[Run], findings: Sequence[Finding], folder: Path, *, settings: Mapping[str, str]
) -> Path:
    """Write ``report.html`` and ``figures/*.png`` into the folder, which is made if needed.

    Parameters
    ----------
    runs : sequence of Run
        At least one.
    findings : sequence of Finding
        Of the check against scipy; may be empty.
    folder : Path
    settings : mapping of str to str
        How the comparison was made, shown as it is. "gtol" and "gradients" (the budget of a run) also go into the
        description of the protocol.

    Returns
    -------
    Path
        Of ``report.html``.

    Raises
    ------
    ValueError
        If there are no runs.
    """
    if not runs:
        raise ValueError("there are no runs to report")
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    environment = Environment(
        loader=PackageLoader("comparisons"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "long_name": long_name,
        "where": where,
        "colour": lambda method: pictures.style(method).colour,
        "point": _point,
    }
    page = environment.get_template("report.html.j2").render(
        how=_how(runs, settings),
        settings=settings,
        failed=[finding for finding in findings if not finding.passed],
        passed=[finding for finding in findings if finding.passed],
        overview=_picture(
            pictures.overview(runs),
            figures / "overview.png",
            "Table of problems and methods: where each run ended and what it cost relative to the cheapest.",
            pictures.overview_caption(runs),
        ),
        methods=_summaries(runs),
        sections=_sections(runs, figures),
        rates=_rates(runs),
        false_success=false_success,
        at_lowest=lambda run: ending(run) in _AT_LOWEST,
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def _point(x: Sequence[float] | None, most: int = 8) -> str:
    if x is None:
        return "known by its value only"
    shown = [number(float(value), 8) for value in x[:most]]
    return "(" + ", ".join(shown) + (", …" if len(x) > most else "") + ")"


# --- figures --------------------------------------------------------------------------------------------------------


def _picture(figure: Figure, path: Path, alt: str, caption: str) -> Picture:
    """Saved as PNG, and as SVG inside the page: sharp at every size, and out of reach of the page's own styles."""
    pictures.save(figure, path)
    figure.set_layout_engine("none")  # the layout is found already; keep it for the second format
    encoded = base64.b64encode(pictures.svg_text(figure).encode()).decode()
    return Picture(f"data:image/svg+xml;base64,{encoded}", alt, caption)


def _sections(runs: Sequence[Run], folder: Path) -> list[Section]:
    sections: list[Section] = []
    used = {"overview"}
    for title, members in zip(row_labels(runs), groups(runs).values(), strict=True):
        anchor = _slug(title)
        while anchor in used:
            anchor += "-x"
        used.add(anchor)
        problem = problem_of(members[0])
        figures = _figures(members, problem, folder, anchor)
        sections.append(Section(anchor, title, problem, members, summary(members), figures))
    return sections


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "problem"


def _figures(runs: Sequence[Run], problem: Problem | None, folder: Path, slug: str) -> list[Picture]:
    name = runs[0].name
    found = [
        _picture(
            pictures.convergence(runs, problem),
            folder / f"{slug}-convergence.png",
            f"Convergence of {count(len(runs), 'method')} on {name}: value and gradient against iterations and cost.",
            pictures.convergence_caption(runs, problem),
        )
    ]
    if problem is not None and problem.domain is not None:
        found.append(
            _picture(
                pictures.paths(runs, problem),
                folder / f"{slug}-paths.png",
                f"Paths of {count(len(runs), 'method')} over the contours of {name}.",
                pictures.paths_caption(runs, problem),
            )
        )
    if problem is not None and problem.n == 2 and name == "rosenbrock" and orders(runs, problem):
        found.append(
            _picture(
                pictures.order_of_convergence(runs, problem),
                folder / f"{slug}-order.png",
                f"Error after each step against the error before it, near the minimum of {name}.",
                pictures.order_caption(runs, problem),
            )
        )
    return found


# --- words and tables -----------------------------------------------------------------------------------------------


def _how(runs: Sequence[Run], settings: Mapping[str, str]) -> list[str]:
    """What was compared and how, in a few plain sentences."""
    rows = groups(runs)
    names = len({run.problem for run in runs})
    starts = "" if names == len(rows) else " from several starts each"
    sentences = [
        f"{count(len(methods(runs)), 'method')} ran on {count(names, 'problem')}{starts}: "
        f"{count(len(runs), 'run')}. All were given the same exact derivatives, through the same counters of our own; "
        "what a solver reports of itself is not used.",
        "The cost of a run is counted in evaluations of f: f + 2 g + 4 Hv + 4n H, where g is a gradient, Hv a product "
        "of the Hessian with a vector, H a Hessian of n columns. Times in seconds depend on the machine, costs do not.",
        _budget_sentence(runs, settings),
        _tuning_sentence(runs),
        "Where a run ended is judged by the verified critical points of the problem and by the eigenvalues of the "
        "Hessian there, never by what the method says of itself.",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in runs[0].versions.items()) + "."
        if runs[0].versions
        else "",
    ]
    return [sentence for sentence in sentences if sentence]


def _budget_sentence(runs: Sequence[Run], settings: Mapping[str, str]) -> str:
    spent = max((run.counts.g for run in runs if run.reason == "EVALUATIONS"), default=None)
    gradients = settings.get("gradients") or spent
    budget = f"A run may spend {gradients} gradients and ten times as many values of f. " if gradients else ""
    if all(run.gtol == 0 for run in runs):
        return (
            f"{budget}No solver stops by a tolerance: it goes on as far as rounding allows, or until its budget is "
            "spent, and costs are compared at the point where f − f* was first down to 1e-8 of its size at the start."
        )
    if all(run.mode == "shipped" for run in runs):
        return f"{budget}Within it every solver stops by its own defaults."
    gtol = settings.get("gtol")
    size = f" is at most {gtol}" if gtol else " meets the tolerance"
    return (
        f"{budget}It stops by itself when the largest entry of the gradient{size} (Newton-CG: when its step is short)."
    )


def _tuning_sentence(runs: Sequence[Run]) -> str:
    tunings = [run.tuning for run in runs if run.tuning is not None]
    if not tunings:
        return ""
    grid, budget = tunings[0].grid, max(tuning.budget for tuning in tunings)
    return (
        f"First-order methods with a learning rate run at the best of {len(grid)} rates from {number(min(grid))} to "
        f"{number(max(grid))}, found for each problem on another start that is not reported, with up to {budget} "
        "gradients for a rate; what that tuning costs is not part of their cost."
    )


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
    text = f"{share} ended at the lowest known minimum with their tolerance met"
    if first is None:
        return text + "."
    text += f"; the cheapest is {in_words(first.method)} at cost {first.price} ({gap_in_words(first)})"
    dearest = max(there, key=lambda run: run.price)
    if dearest.price > 2 * first.price:
        ratio = times(dearest.price / first.price)
        text += f", the dearest {in_words(dearest.method)} at {dearest.price}, {ratio} times as much"
    return text + "."


def _summaries(runs: Sequence[Run]) -> list[MethodSummary]:
    best = {key: cheapest(members) for key, members in groups(runs).items()}
    found = []
    for method in methods(runs):
        mine = [run for run in runs if run.method == method]
        ratios = [
            run.price / max(first.price, 1)
            for run in mine
            if ending(run) is Ending.LOWEST and (first := best[run.problem, run.start]) is not None
        ]
        found.append(
            MethodSummary(
                method=method,
                runs=len(mine),
                known=sum(run.gap is not None for run in mine),
                lowest=sum(ending(run) in _AT_LOWEST for run in mine),
                other=sum(ending(run) is Ending.OTHER for run in mine),
                relative_cost=statistics.median(ratios) if ratios else None,
                solved=len(ratios),
                false_successes=sum(map(false_success, mine)),
            )
        )
    return found


def _rates(runs: Sequence[Run]) -> dict[str, Any]:
    """Chosen learning rates by problem and method."""
    tuned = [run for run in runs if run.tuning is not None]
    table: dict[str, dict[str, Any]] = {}
    for run in tuned:
        table.setdefault(run.problem, {})[run.method] = run.tuning
    return {"methods": methods(tuned), "rows": table}
