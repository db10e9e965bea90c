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

    def show(self, t: int, epoch: int, loss: float) -> None:
        """Move to update t, if the bar's turn has come."""
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + _REFRESH
            self._progress.update(self._task, completed=t, description=f"epoch {epoch}, loss {loss:.4g}")

    def close(self, t: int) -> None:
        """The last position; the bar stays where it is."""
        self._progress.update(self._task, completed=t)
        self._progress.stop()
