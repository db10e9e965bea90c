"""The answer of a comparison: what to take for which kind of problem, with the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from comparisons.core.labels import count, number, times
from comparisons.plots.kind_plots import kind_figure
from comparisons.report.document import Block, Bullets, Cell, Row, Table, keyed
from comparisons.report.files import save_figure
from comparisons.report.method_tables import method_cell
from comparisons.scores.kinds import MINI_BATCHES, Kind, KindScore

_GROUPS = ("auto", "scipy", "first-order")
_EQUAL = 1.05  # ratio of relative costs up to which two methods are named together: 5 % do not matter in practice


def answer_blocks(found: Sequence[Kind], folder: Path | None) -> list[Block]:
    """A sentence, a line for each kind of problem, one figure, one table; nothing if no minimum is known."""
    if not found or not any(kind.best.solved for kind in found):
        return []
    blocks: list[Block] = [answer_sentence(found), Bullets([_line(kind) for kind in found if kind.best.solved])]
    if folder is not None:
        alt = "Relative cost of the methods on each kind of problem."
        caption = (
            "Cost until f − f* fell to the required accuracy, divided by that of the cheapest method on the same "
            "problem: median over the problems solved, and how many were solved. The best five methods; hollow "
            "markers are scipy's, or mini-batches. A Hessian is charged as many products as recover it: n if it is "
            "dense, a few if it is sparse."
        )
        blocks.append(save_figure(kind_figure(found), folder / "answer.svg", alt, caption))
    return [*blocks, answer_table(found)]


def answer_sentence(found: Sequence[Kind]) -> str:
    """What to take if nothing is known of the problem."""
    strict = min(kind.tolerance for kind in found)
    counted = [kind for kind in found if kind.tolerance == strict]  # the problems of mini-batches are counted once
    scores = [score for kind in counted if (score := kind.best_of("auto")) is not None]
    if not scores:
        return "The methods that solved the most problems of each kind, at the lowest median cost:"
    problems = sum(kind.instances for kind in counted)
    solved = keyed("kind/all/auto/solved", f"{sum(score.solved for score in scores)} of {problems}")
    return (
        f"Take auto if you do not know which method to take: it solved {solved} problems. The methods that solved the "
        "most problems of each kind, at the lowest median cost:"
    )


def _line(kind: Kind) -> str:
    best, auto = kind.best, kind.best_of("auto")
    close = [score.method for score in kind.scores if score is not best and score.solved == best.solved]
    equal = [name for name in close if kind.ratio_to_best(name) <= _EQUAL]
    text = f"{kind.name[0].upper()}{kind.name[1:]} ({_problems(kind)}, n up to {kind.largest}): {best.method}"
    text += f" or {equal[0]}" if equal else ""
    text += f" solved {_phrase(kind, best)}"
    if auto is not None and auto is not best and "auto" not in equal[:1]:
        text += f"; auto solved {_phrase(kind, auto)}"
    batches = kind.best_of("mini-batches")
    if kind.name == MINI_BATCHES and batches is not None and batches is not best:
        text += f"; on mini-batches {batches.method} solved {_phrase(kind, batches)}"
    return f"{text}."


def _phrase(kind: Kind, score: KindScore) -> str:
    base = f"kind/{kind.name}/{score.method}"
    solved = keyed(f"{base}/solved", f"{score.solved} of {kind.instances}")
    if score.relative_cost is None:
        return solved
    return f"{solved} at {keyed(f'{base}/relative', f'{times(score.relative_cost)}×')} the lowest cost"


def _problems(kind: Kind) -> str:
    how_many, word = count(kind.instances, "problem").split(" ")
    return f"{keyed(f'kind/{kind.name}/problems', how_many)} {word}"


def answer_table(found: Sequence[Kind]) -> Table:
    """A row for each kind: the best method, and next to it auto, the best of scipy's and the best first-order one."""
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
            Cell(_numbers(kind, best)),
        ]
        for group in groups:
            score = kind.best_of(group)
            name = "" if group == "auto" or score is None else f"{score.method}: "
            row.append("–" if score is None else f"{name}{_numbers(kind, score)}")
        rows.append(row)
    headings = ["kind of problem", "problems", "n up to", "take", "solved, cost, time", *(names[g] for g in groups)]
    return Table("", headings, rows, text=(0, *range(3, len(headings))), stacked=True)


def _numbers(kind: Kind, score: KindScore) -> str:
    """Problems solved, relative cost, seconds."""
    base = f"kind/{kind.name}/{score.method}"
    solved = keyed(f"{base}/solved", f"{score.solved} of {kind.instances}")
    if score.relative_cost is None:
        return solved
    relative = keyed(f"{base}/relative", f"{times(score.relative_cost)}×")
    return f"{solved}, {relative}, {keyed(f'{base}/seconds', number(score.seconds, 2))} s"
