"""The regression gate: which cells of a comparison are not what they were in an earlier one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from comparisons.core.runs import Run, from_record
from comparisons.core.serialization import json_text, key_of
from comparisons.running.protocol import Protocol
from comparisons.running.store import Store

SHARE = 0.1  # of a cost: the counts of a method repeat exactly, but another BLAS may round a path onto another
_ORDER = {"global": 0, "local": 1}  # endings from good to bad; among the others none is better
_OTHER = 2

Cell = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """A cell that is not what it was."""

    problem: str
    start: str
    method: str
    what: str
    """"ending", "accuracy" or "cost"."""
    before: str
    after: str
    better: bool | None
    """None where neither is."""

    @property
    def sentence(self) -> str:
        """The change in words."""
        how = {True: "better", False: "worse", None: "different"}[self.better]
        return f"{self.method} on {self.problem} from {self.start!r}: {self.what} {self.before} → {self.after} ({how})"


def changes(old: Iterable[Run], new: Iterable[Run], *, share: float = SHARE) -> list[Change]:
    """The cells of both comparisons whose verdict or cost is another.

    The verdict is the class of the ending, then whether the run came as far as was asked; the cost is that of coming so
    far, see `Run.price`. Of a cell that is not in both nothing is said.

    Parameters
    ----------
    old, new : iterable of Run
        Each cell once.
    share : float, at least 0, default 0.1
        A cost has changed if the larger is more than 1 + share times the smaller.

    Returns
    -------
    list of Change
        One for each cell at most, in the order of ``new``.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import problems
    >>> from comparisons.running.single_run import run_one
    >>> run = run_one(problems.get("booth"), "standard", "newton")
    >>> changes([run], [run])
    []
    >>> changes([run], [replace(run, ending="saddle")])[0].sentence
    "newton on booth from 'standard': ending global → saddle (worse)"
    """
    if not share >= 0:
        raise ValueError(f"share must be at least 0, got {share}")
    before = {_cell(run): run for run in old}
    found = []
    for run in new:
        then = before.get(_cell(run))
        change = None if then is None else _change(then, run, share)
        if change is not None:
            found.append(change)
    return found


def _cell(run: Run) -> Cell:
    return run.problem, run.start, run.method


def _change(old: Run, new: Run, share: float) -> Change | None:
    def says(what: str, before: str, after: str, better: bool | None) -> Change:
        return Change(*_cell(new), what, before, after, better)

    if old.ending != new.ending:
        ranks = [_ORDER.get(ending, _OTHER) for ending in (old.ending, new.ending)]
        return says("ending", old.ending, new.ending, None if ranks[0] == ranks[1] else ranks[1] < ranks[0])
    if old.met != new.met:
        words = {True: "reached", False: "not reached"}
        return says("accuracy", words[old.met], words[new.met], new.met)
    least, most = sorted((old.price, new.price))
    if new.met and most > (1 + share) * least:
        ratio = new.price / old.price if old.price else math.inf
        return says("cost", str(old.price), f"{new.price}, {ratio:.2f} times as much", new.price < old.price)
    return None


def stored_runs(path: str | Path, protocol: Protocol) -> list[Run]:
    """The runs that a store holds under a protocol; of a cell that was run by several versions, the last.

    Parameters
    ----------
    path : path
    protocol : Protocol

    Raises
    ------
    ValueError
        If it holds none: runs under another protocol cannot be compared.
    FileNotFoundError
        If there is no such file.
    """
    wanted, others = _name(asdict(protocol)), set()
    found: dict[Cell, Run] = {}
    with Store(path, read_only=True) as store:
        for row in store.rows():
            theirs = row.identity.get("protocol")
            if _name(theirs) == wanted:
                run = from_record(row.record, row.arrays)
                found[_cell(run)] = run
            else:
                others.add(json_text(theirs))
    if not found:
        there = f"its runs were made under {', '.join(sorted(others))}" if others else "it is empty"
        raise ValueError(f"{path} holds no run under the protocol {json_text(asdict(protocol))}: {there}")
    return list(found.values())


def _name(protocol: Any) -> str:
    return key_of({"protocol": protocol})
