"""Learning-rate schedules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe & Ito (2008), *Color Universal Design*
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#000000")
DASHES = ("-", "--", "-.", (0, (4, 1, 1, 1, 1, 1)), ":")


class LabelledSchedule(Protocol):
    """A schedule η(t) with a label."""

    @property
    def label(self) -> str:
        """The entry in the legend."""

    def __call__(self, t: int) -> float:
        """η(t)."""


def plot_schedules(schedules: Sequence[LabelledSchedule], steps: int = 100) -> Figure:
    """The curves of schedules over the first ``steps`` updates, on common axes.

    Parameters
    ----------
    schedules : sequence of Schedule
    steps : int, at least 1, default 100

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    updates = np.arange(1, steps + 1)
    for i, schedule in enumerate(schedules):
        # both a colour and a dash pattern, so that overlapping curves can be distinguished
        colour, dash = COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)]
        axes.plot(updates, [schedule(int(t)) for t in updates], label=schedule.label, color=colour, linestyle=dash)
    axes.set(xlabel="update t", ylabel="learning rate η(t)", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
