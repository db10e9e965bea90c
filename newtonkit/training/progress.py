"""A progress bar on standard error."""

from __future__ import annotations

import time
from typing import Any

_REFRESH = 0.1  # seconds; the bar shall cost nothing


class Bar:
    """Updates done of those planned, with the last loss of a batch; rich is imported when one is made."""

    def __init__(self, total: int, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress: Any = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("updates"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task("training", total=total, completed=done)
        self._progress.start()
        self._next = 0.0
        self._last: tuple[int, float] | None = None

    def show(self, t: int, epoch: int, loss: float) -> None:
        """Move to update t, if the bar's turn has come."""
        self._last = epoch, loss
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + _REFRESH
            self._move(t)

    def close(self, t: int) -> None:
        """The last position; the bar stays where it is."""
        self._move(t)
        self._progress.stop()

    def _move(self, t: int) -> None:
        words = "training" if self._last is None else "epoch {}, loss {:.4g}".format(*self._last)
        self._progress.update(self._task, completed=t, description=words)
