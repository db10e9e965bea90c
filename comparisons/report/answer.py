"""The answer of a comparison: what to take for which kind of problem, with the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparisons.core.labels import number, times
from comparisons.plots.kind_plots import kind_figure
from comparisons.report.document import Block, Cell, Row, Table, keyed
from comparisons.report.files import save_figure
from comparisons.report.method_tables import method_cell
from comparisons.scores.kinds import Kind, KindScore

_GROUPS = ("auto", "scipy", "first-order")


def answer_blocks(found: Sequence[Kind], folder: Path | None) -> list[Block]:
    """One sentence, one figure, one table; nothing if no problem has a known minimum."""
    if not found or not any(kind.best.solved for kind in found):
        return []
    blocks: list[Block] = [answer_sentence(found)]
    if folder is not None:
        alt = "Relative cost of the methods on each kind of problem."
        caption = (
            "Cost until f − f* fell to the required accuracy, divided by that of the cheapest method on the same "
            "problem: median over the problems solved, and how many were solved. The best five methods; hollow "
            "markers are scipy's. A Hessian is charged as many products as recover it: n if it is "
            "dense, a few if it is sparse."
        )
        blocks.append(save_figure(kind_figure(found), folder / "answer.svg", alt, caption))
    return [*blocks, answer_table(found)]


def answer_sentence(found: Sequence[Kind]) -> str:
    """What to take for each kind."""
    parts = [f"{kind.name}: {kind.best.method} ({_numbers(kind, kind.best)})" for kind in found if kind.best.solved]
    return (
        f"What to take – {'; '.join(parts)}. In brackets: problems solved, and the median cost relative to the "
        "cheapest. For mini-batches see newtonkit experiment list."
    )


def answer_table(found: Sequence[Kind]) -> Table:
    """A row for each kind: the best method, and next to it auto, the best of scipy's and the best first-order one."""
    headings = ["kind of problem", "problems", "n up to", "take", "solved", "relative cost", "seconds"]
    names = {"auto": "auto", "scipy": "best of scipy's", "first-order": "best first-order"}
    groups = [group for group in _GROUPS if any(kind.best_of(group) for kind in found)]
    rows: list[Row] = []
    for kind in found:
        best = kind.best
        row: list[str | Cell] = [
            kind.name,
            Cell(str(kind.instances), key=f"kind/{kind.name}/problems"),
            str(kind.largest),
            method_cell(best.method),
            *_cells(kind, best),
        ]
        for group in groups:
            score = kind.best_of(group)
            row.append(Cell("–") if score is None else Cell(f"{score.method}: {_numbers(kind, score)}"))
        rows.append(row)
    return Table("", [*headings, *(names[group] for group in groups)], rows, text=(0, 3, *range(7, 7 + len(groups))))


def _cells(kind: Kind, score: KindScore) -> list[Cell]:
    base = f"kind/{kind.name}/{score.method}"
    return [
        Cell(f"{score.solved} of {kind.instances}", key=f"{base}/solved"),
        Cell(_ratio(score), key=f"{base}/relative"),
        Cell(number(score.seconds, 2), key=f"{base}/seconds"),
    ]


def _numbers(kind: Kind, score: KindScore) -> str:
    base = f"kind/{kind.name}/{score.method}"
    solved = keyed(f"{base}/solved", f"{score.solved} of {kind.instances}")
    return f"{solved}, {keyed(f'{base}/relative', _ratio(score))}×" if score.solved else solved


def _ratio(score: KindScore) -> str:
    return "–" if score.relative_cost is None else times(score.relative_cost)
