"""One line on standard error that shows how much of a round is done."""

from __future__ import annotations

import sys
import time

REFRESH_SECONDS = 0.2
"""Time between two refreshes: below it the eye sees no difference. Our choice."""

_WIDTH = 78  # characters of the line


class Display:
    """Shows the kind and the number of a round, the share of partitions that are done, and the seconds.

    The line is removed when the round is complete.
    """

    def __init__(self) -> None:
        self._round = 0
        self._is_shown = False
        self._began = self._refreshed = time.perf_counter()

    def show(self, kind: str, number: int, share: float) -> None:
        """Rewrite the line, unless the last refresh is too recent."""
        now = time.perf_counter()
        if number != self._round:
            self._round, self._began = number, now
        text = ""
        if share < 1.0:
            if now - self._refreshed < REFRESH_SECONDS:
                return
            text = f"round {number}, {kind}: {share:4.0%} of the partitions, {now - self._began:.1f} s"
        elif not self._is_shown:
            return
        self._refreshed, self._is_shown = now, bool(text)
        print(f"\r{text:<{_WIDTH}}" + ("" if text else "\r"), end="", file=sys.stderr, flush=True)
