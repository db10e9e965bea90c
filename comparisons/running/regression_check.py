"""The regression check: which cells of a comparison differ from those of an earlier one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from comparisons.core.endings import Ending
from comparisons.core.runs import Run, from_record
from comparisons.core.scored import Scored, score_runs
from comparisons.core.serialization import json_text, key_of
from comparisons.running.protocol import Protocol
from comparisons.running.store import Store

# of a cost, measured: the counts of a method repeat exactly on one machine, but another BLAS may lead to another path
SHARE = 0.1
_RANKS = {Ending.GLOBAL: 0, Ending.LOCAL: 1}  # endings from good to bad; the others are equally bad
_LAST_RANK = 2

RunKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """A cell that has changed."""

    problem: str
    start: str
    method: str
    what: str
    """"ending", "accuracy" or "cost"."""
    before: str
    after: str
    better: bool | None
    """None if neither is."""

    @property
    def sentence(self) -> str:
        """The change as a sentence."""
        how = {True: "better", False: "worse", None: "different"}[self.better]
        return f"{self.method} on {self.problem} from {self.start!r}: {self.what} {self.before} → {self.after} ({how})"


def changes(old: Iterable[Run], new: Iterable[Run], *, share: float = SHARE) -> list[Change]:
    """The cells of both comparisons whose ending, accuracy or cost has changed.

    Accuracy means whether the run was solved, cost the cost until then: see `comparisons.core.scored`. A cell that is
    not in both comparisons is left out.

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
    >>> from comparisons.core.endings import Ending
    >>> from comparisons.running.single_run import run_one
    >>> run = run_one(problems.get("booth"), "standard", "newton")
    >>> changes([run], [run])
    []
    >>> changes([run], [replace(run, ending=Ending.SADDLE)])[0].sentence
    "newton on booth from 'standard': ending global → saddle (worse)"
    """
    if not share >= 0:
        raise ValueError(f"share must be at least 0, got {share}")
    before = {_key(row.run): row for row in score_runs(old)}
    found = []
    for row in score_runs(new):
        then = before.get(_key(row.run))
        change = None if then is None else _change(then, row, share)
        if change is not None:
            found.append(change)
    return found


def _key(run: Run) -> RunKey:
    return run.problem, run.start, run.method


def _change(old: Scored, new: Scored, share: float) -> Change | None:
    def change(what: str, before: str, after: str, better: bool | None) -> Change:
        return Change(*_key(new.run), what, before, after, better)

    if old.ending != new.ending:
        ranks = [_RANKS.get(ending, _LAST_RANK) for ending in (old.ending, new.ending)]
        return change("ending", old.ending, new.ending, None if ranks[0] == ranks[1] else ranks[1] < ranks[0])
    if old.solved != new.solved:
        texts = {True: "reached", False: "not reached"}
        return change("accuracy", texts[old.solved], texts[new.solved], new.solved)
    least, most = sorted((old.cost, new.cost))
    if new.solved and most > (1 + share) * least:
        ratio = new.cost / old.cost if old.cost else math.inf
        return change("cost", str(old.cost), f"{new.cost}, {ratio:.2f} times as much", new.cost < old.cost)
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
    found: dict[RunKey, Run] = {}
    with Store(path, read_only=True) as store:
        for row in store.rows():
            theirs = row.identity.get("protocol")
            if _name(theirs) == wanted:
                run = from_record(row.record, row.arrays)
                found[_key(run)] = run
            else:
                others.add(json_text(theirs))
    if not found:
        there = f"its runs were made under {', '.join(sorted(others))}" if others else "it is empty"
        raise ValueError(f"{path} holds no run under the protocol {json_text(asdict(protocol))}: {there}")
    return list(found.values())


def _name(protocol: Any) -> str:
    return key_of({"protocol": protocol})
