"""A progress bar on standard error."""

from __future__ import annotations

import time
from typing import Any

REFRESH_INTERVAL = 0.1  # seconds; at ten refreshes per second the cost of the bar is not noticeable


class ProgressBar:
    """Completed and planned updates, with the loss of the last batch; rich is imported when a bar is created."""

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
        self._next_refresh = 0.0
        self._last: tuple[int, float] | None = None

    def show(self, t: int, epoch: int, loss: float) -> None:
        """Move to update t, unless the last refresh is too recent."""
        self._last = epoch, loss
        now = time.perf_counter()
        if now >= self._next_refresh:
            self._next_refresh = now + REFRESH_INTERVAL
            self._move(t)

    def close(self, t: int) -> None:
        """Show the last update and leave the bar on the screen."""
        self._move(t)
        self._progress.stop()

    def _move(self, t: int) -> None:
        description = "training" if self._last is None else "epoch {}, loss {:.4g}".format(*self._last)
        self._progress.update(self._task, completed=t, description=description)
