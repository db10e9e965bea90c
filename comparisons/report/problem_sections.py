"""The part of a comparison about one problem from one start: a summary, its runs, known critical points, figures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from comparisons.core.endings import Ending
from comparisons.core.labels import count, ending_label, full_name, gap_text, listing, number, problem_of, times
from comparisons.core.runs import Run
from comparisons.core.scored import Scored, ScoredTable, cheapest
from comparisons.report.document import Block, Cell, Row, Section, Table, Tone, keyed
from comparisons.report.method_tables import method_cell, row_labels, run_key
from problems import Problem

_POINT_ENTRIES = 8  # coordinates of a point that are shown


def problem_anchors(runs: Sequence[Run], taken: Sequence[str]) -> list[str]:
    """A different anchor for each problem and start, in the order of `groups`."""
    found: list[str] = []
    used = set(taken)
    for title in row_labels(runs):
        anchor = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "problem"
        while anchor in used:
            anchor += "-x"
        used.add(anchor)
        found.append(anchor)
    return found


def problem_sections(
    scored: ScoredTable,
    anchors: Sequence[str],
    run_anchor: Mapping[int, str],
    figures: Sequence[Sequence[Block]],
    own: Mapping[str, Problem] | None = None,
) -> list[Section]:
    """One section for each problem and start, in the order of `groups`."""
    titles, members = row_labels([row.run for row in scored]), scored.instances.values()
    return [
        Section(title, [*_description(those, own or {}), run_table(those, run_anchor), *drawn], anchor, collapsed=True)
        for title, anchor, those, drawn in zip(titles, anchors, members, figures, strict=True)
    ]


def _description(rows: Sequence[Scored], own: Mapping[str, Problem]) -> list[Block]:
    first = rows[0].run
    problem = own.get(first.problem) or problem_of(first)
    formula = f"f = {problem.formula}. " if problem is not None and problem.formula else ""
    start = f"n = {first.n}; start “{first.start}”, where f = {number(first.f_start)}."
    blocks: list[Block] = [f"{formula}{start}", summary(rows)]
    if problem is not None and problem.points:
        blocks.append(_known_points(problem))
    return blocks


def _known_points(problem: Problem) -> Section:
    rows = [[p.kind, number(p.f, 8), str(p.index), _point(p.x), p.verified] for p in problem.points]
    table = Table("", ("kind", "f", "index", "x", "verified by"), rows, text=(0, 3, 4))
    complete = ", a complete list" if problem.complete else ""
    return Section(f"{count(len(rows), 'known critical point')}{complete}", [table], collapsed=True)


def _point(x: Iterable[float] | None) -> str:
    if x is None:
        return "only its value is known"
    shown = [number(float(value), 8) for value in x]
    return "(" + ", ".join(shown[:_POINT_ENTRIES]) + (", …" if len(shown) > _POINT_ENTRIES else "") + ")"


def run_table(scored: Sequence[Scored], run_anchor: Mapping[int, str] | None = None, title: str = "") -> Table:
    """A row for each run."""
    known = any(row.gap is not None for row in scored)
    headings = (
        *("method", "ended at", "f − f*" if known else "f", "cost to accuracy", "cost", "f", "g", "H", "Hv"),
        *("iterations", "‖g‖∞", "λ_min", "rate", "seconds", "stopped by"),
    )
    rows: list[Row] = []
    for row in scored:
        run, counts, wrong = row.run, row.run.counts, row.false_success
        tone: Tone = "bad" if wrong else "good" if row.ending is Ending.GLOBAL else "soft"
        key = run_key(row)
        used = {"cost": run.cost, "f": counts.f, "g": counts.g, "H": counts.H, "Hv": counts.Hv, "iterations": run.nit}
        rows.append(
            [
                method_cell(run.method),
                Cell(
                    ending_label(run, row.solved) + (" – reports success" if wrong else ""),
                    hint=f"{run.verdict}: {run.verdict_reason}",
                    tone=tone,
                ),
                Cell(number(run.gap if known else run.f, 3), key=f"{key}/{'gap' if known else 'f'}"),
                Cell(str(row.cost) if row.solved else "–", key=f"{key}/cost to accuracy"),
                *(Cell(str(value), key=f"{key}/{name}") for name, value in used.items()),
                number(run.gradient_norm, 3),
                number(run.lambda_min, 3),
                "" if run.tuning is None else number(run.tuning.rate),
                number(run.seconds, 2),
                Cell(run.reason, hint=run.message),
            ]
        )
    anchors = () if run_anchor is None else [run_anchor[id(row.run)] for row in scored]
    return Table(title, headings, rows, text=(0, 1, 14), anchors=anchors)


def _cost(row: Scored) -> str:
    return keyed(f"{run_key(row)}/cost to accuracy", str(row.cost))


def all_runs_table(runs: Sequence[Run]) -> Table:
    """A row for each run of any problems, with the class of its ending."""
    headings = (
        *("problem", "start", "method", "ended", "f − f*", "‖g‖∞", "λ_min"),
        *("f", "grad", "Hess", "Hv", "cost", "stopped by"),
    )
    rows: list[Row] = []
    for run in runs:
        counts = run.counts
        rows.append(
            [
                run.problem,
                run.start,
                run.method if run.tuning is None else f"{run.method} (η={run.tuning.rate:g})",
                Cell(run.ending, tone="" if run.ending.at_minimum else "soft"),
                *(number(value, 2) for value in (run.gap, run.gradient_norm, run.lambda_min)),
                *map(str, (counts.f, counts.g, counts.H, counts.Hv, run.cost)),
                run.reason,
            ]
        )
    return Table("", headings, rows, text=(0, 1, 2, 3, 12))


def summary(rows: Sequence[Scored]) -> str:
    """How many runs of one problem from one start reached the lowest minimum, and at what cost."""
    solved = [row for row in rows if row.solved]
    if all(row.gap is None for row in rows):
        wrong = [row.method for row in rows if row.false_success]
        claim = f"success is reported, wrongly, by {listing(wrong)}" if wrong else "no method reports one"
        return f"No minimum is known here: the right answer is to report none, and {claim}."
    first = cheapest(rows)
    share = (
        f"All {len(rows)} methods" if len(solved) == len(rows) > 1 else f"{len(solved)} of {count(len(rows), 'method')}"
    )
    text = f"{share} reached the lowest known minimum with the required accuracy"
    if first is None:
        return text + "."
    text += f"; the cheapest is {full_name(first.method)} at cost {_cost(first)} ({gap_text(first.run)} at the end)"
    last = max(solved, key=lambda row: row.cost)
    if last.cost > 2 * first.cost:
        ratio = keyed(f"{run_key(last)}/ratio", times(last.ratio))
        text += f", the most expensive {full_name(last.method)} at {_cost(last)}, {ratio} times as much"
    return text + "."
