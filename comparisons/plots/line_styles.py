"""How the pictures of scores tell methods apart: colours, dashes, names at the ends of lines; and their common axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

from comparisons.core.labels import counterpart
from comparisons.plots.style import LEAST_GAP, spread, style

Dashes = str | tuple[float, tuple[float, ...]]

MOST = 8  # lines that a reader can follow
GREY = "#bbbbbb"
# Okabe & Ito (2008), Color Universal Design, without yellow, which is too pale for a line
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_DASHES: tuple[Dashes, ...] = (
    "solid",
    (0, (5, 1.5)),
    (0, (1.2, 1.2)),
    (0, (6, 1.5, 1.2, 1.5)),
    (0, (3, 1)),
    (0, (8, 2.5)),
    (0, (6, 1.5, 1.2, 1.5, 1.2, 1.5)),
    (0, (2.5, 1, 2.5, 1, 1, 1)),
)
_UNKNOWN = "#777777"


class Look(NamedTuple):
    """A colour and a pattern of dashes."""

    colour: str
    dashes: Dashes


def looks(methods: Sequence[str]) -> dict[str, Look]:
    """A look for each of at most eight methods: the colour it has in all pictures, and dashes of its own.

    One of scipy's shares the colour of its counterpart, and is not the solid one; a method without a colour gets the
    next free one of Okabe & Ito's.
    """
    if len(methods) > MOST:
        raise ValueError(f"methods must be at most {MOST} for one picture, got {len(methods)}")
    colours = {method: style(method).colour for method in methods}
    free = [colour for colour in OKABE_ITO if colour not in colours.values()]
    strangers: dict[str, str] = {}
    for method in methods:
        if colours[method] == _UNKNOWN:
            colours[method] = strangers.setdefault(counterpart(method), free.pop(0) if free else _UNKNOWN)
    ours_first = sorted(methods, key=lambda method: method.startswith("scipy:"))
    return {method: Look(colours[method], dashes) for method, dashes in zip(ours_first, _DASHES, strict=False)}


def name_ends(axes: Axes, ends: Sequence[tuple[str, float, Look]]) -> None:
    """Names beside the right edge, each led to the end of its line by a piece of it.

    Parameters
    ----------
    axes : Axes
        With its limits set.
    ends : sequence of (text, height, Look)
        Heights in data.
    """
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = [float(to_axes.transform((axes.get_xlim()[1], height))[1]) for _, height, _ in ends]
    gap = min(LEAST_GAP, 1.0 / max(len(ends), 1))  # very many names belong to a picture that is taller
    for (text, _, look), height, place in zip(ends, heights, spread(heights, gap), strict=True):
        axes.plot(
            [1.0, 1.03, 1.09],
            [height, place, place],
            transform=axes.transAxes,
            clip_on=False,
            color=look.colour,
            linestyle=look.dashes,
            linewidth=1.6,
            zorder=3,
        )
        axes.text(1.10, place, text, transform=axes.transAxes, va="center", ha="left", fontsize=9, color="#222222")


def plain(axes: Axes) -> None:
    """The house's axes: a pale grid behind the lines, no frame above and to the right."""
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)
