"""The short text of a comparison: what was compared, a row for each method, and which is the cheapest."""

from __future__ import annotations

from collections.abc import Sequence

from comparisons.core.labels import count, ending_label, full_name, number, times
from comparisons.core.scored import ScoredTable, cheapest


def summary_title(scored: ScoredTable) -> str:
    """How many runs, methods, problems and starts there are."""
    labels = {row.run.problem for row in scored}
    where = f"{next(iter(labels))}, n = {scored[0].run.n}" if len(labels) == 1 else count(len(labels), "problem")
    methods, starts = count(len(scored.methods), "method"), count(len(scored.instances), "start")
    return f"Comparison of {methods} on {where}, from {starts}: {count(len(scored), 'run')}"


def summary_table(scored: ScoredTable) -> tuple[Sequence[str], list[list[str]]]:
    """Headings and a row for each method, the one that solves most at the least cost first."""
    single = len(scored.instances) == 1
    if single:
        rows = sorted(scored, key=lambda row: (not row.solved, row.cost))
        return ("method", "ended at", "f − f*", "cost to accuracy", "f", "g", "H", "Hv", "seconds"), [
            [
                row.method,
                ending_label(row.run, row.solved),
                number(row.gap, 2),
                str(row.cost) if row.solved else "–",
                *(str(getattr(row.run.counts, kind)) for kind in ("f", "g", "H", "Hv")),
                number(row.run.seconds, 2),
            ]
            for row in rows
        ]
    scores = sorted(scored.methods, key=lambda score: (-score.solved, score.relative_cost or 0.0))
    return ("method", "solved", "relative cost", "cheapest", "false successes"), [
        [s.method, f"{s.solved} of {s.known}", number(s.relative_cost, 3), str(s.cheapest), str(s.false_successes)]
        for s in scores
    ]


def answer(scored: ScoredTable) -> str:
    """The method to take, in one sentence."""
    if len(scored.instances) == 1:
        first = cheapest(scored)
        if first is None:
            return "No method reached f* with the required accuracy."
        others = sorted(row.ratio for row in scored if row.solved and row is not first)
        more = f"; the next costs {times(others[0])} times as much" if others else "; no other method reached it"
        return (
            f"Cheapest: {full_name(first.method)}, cost {first.cost} until f − f* fell to the required accuracy{more}."
        )
    best = min(scored.methods, key=lambda score: (-score.solved, score.relative_cost or 0.0))
    if not best.solved:
        return "No method solved any problem."
    return (
        f"Most solved, then least cost: {full_name(best.method)}, {best.solved} of {best.known}, at "
        f"{number(best.relative_cost, 3)} times the least cost (median)."
    )


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines of text with aligned columns."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
