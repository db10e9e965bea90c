"""Pictures of newtonkit's own objects; matplotlib is imported here, when one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from newtonkit.methods.schedules import Schedule
    from newtonkit.result import History


def plot_history(history: History) -> Figure:
    """f above its lowest value, and ‖g‖∞, against iterations, on logarithmic axes.

    Parameters
    ----------
    history : History

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    gap = history.f - np.nanmin(history.f)
    left.semilogy(history.nit, np.where(gap > 0, gap, np.nan), marker=".")
    left.set(xlabel="iteration", ylabel="f − lowest f seen", title="value")
    size = history.gradient_norm
    right.semilogy(history.nit, np.where(size > 0, size, np.nan), marker=".", color="C1")
    right.set(xlabel="iteration", ylabel="‖g‖∞", title="gradient")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure


def plot_schedules(schedules: Sequence[Schedule], steps: int = 100) -> Figure:
    """The curves of learning-rate schedules over the first ``steps`` updates in one axis.

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
    for schedule in schedules:
        axes.plot(updates, [schedule(int(t)) for t in updates], label=type(schedule).__name__)
    axes.set(xlabel="update t", ylabel="learning rate η(t)", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
