"""The style of all figures: colours, markers and dashes of the methods, axes, legend, PNG and SVG files."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from comparisons.core.labels import FAMILIES, counterpart, family, methods
from comparisons.core.runs import Run

INK = "#333333"
_KEEP = 300  # points of a trace that are drawn at most
LEAST_GAP = 0.052  # between two names, of the height of the axes
Dashes = str | tuple[float, tuple[float, ...]]

MAX_LINES = 8  # in colour; more cannot be distinguished
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
_NO_COLOUR = "#777777"
_LONG_DECIMAL = re.compile(r"(\d\.\d)\d+(?=[ \n\"])")

# One colour and one end marker for each method, the same in every figure: blues for second-order methods, greens for
# quasi-Newton, warm colours for first-order (hues of Okabe & Ito and of Tol, which differ in lightness too).
_STYLES = {
    "auto": ("#000000", "$A$"),
    "newton": ("#0072B2", "D"),
    "newton-cg": ("#44AA99", "H"),
    "newton-linesearch": ("#56B4E9", "d"),
    "newton-pure": ("#1B2A6B", "*"),
    "cubic": ("#332288", ">"),
    "bfgs": ("#117733", "s"),
    "lbfgs": ("#8FA31E", "P"),
    "dfp": ("#999933", "p"),
    "sr1": ("#225522", "<"),
    "cg": ("#DDCC77", "h"),
    "gd-linesearch": ("#882255", "h"),
    "gd": ("#D55E00", "o"),
    "momentum": ("#E69F00", "^"),
    "nesterov": ("#CC79A7", "v"),
    "adagrad": ("#B2876A", "<"),
    "rmsprop": ("#E8837E", ">"),
    "adadelta": ("#A8A04A", "p"),
    "adam": ("#6B3D1E", "X"),
    "nadam": ("#AA4499", "8"),
}


class LineStyle(NamedTuple):
    """A colour and a pattern of dashes."""

    colour: str
    dashes: Dashes


class Style(NamedTuple):
    """The colour and end marker of a method; dashed for scipy's solvers and for mini-batches."""

    colour: str
    marker: str
    dashed: bool


def style(method: str) -> Style:
    """The fixed style of a method; scipy's solvers, and rules on mini-batches, are dashed in its colour."""
    colour, marker = _STYLES.get(counterpart(method), ("#777777", "o"))
    return Style(colour, marker, method.startswith("scipy:") or "batch=" in method)


# the character of each marker: for our methods, for scipy's; U+FE0E keeps the character from becoming a picture
_SYMBOLS = {
    "$A$": "AA",
    "D": "◆◇",
    "H": "⬢⬡",
    "d": "♦♢",
    "*": "★☆",
    ">": "▶▷",
    "s": "■□",
    "P": "✚✛",
    "p": "⬟⬠",
    "<": "◀◁",
    "h": "⬣⬡",
    "o": "●○",
    "^": "▲△",
    "v": "▼▽",
    "X": "✖✕",
    "8": "◉◎",
}


def symbol(line_style: Style) -> str:
    """The marker as a character for tables: filled for our methods, hollow for scipy's.

    Examples
    --------
    >>> symbol(style("bfgs"))[0], symbol(style("scipy:BFGS"))[0]
    ('■', '□')
    """
    return _SYMBOLS[line_style.marker][line_style.dashed] + "\ufe0e"


def tick(value: float, position: float = 0) -> str:
    """A label of a logarithmic axis, for `matplotlib.axis.Axis.set_major_formatter`."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:g}"
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def thin(length: int, keep: int = _KEEP) -> NDArray[np.intp]:
    """Indices of at most ``keep`` of ``length`` points, spaced logarithmically, the first and the last among them."""
    if length <= keep:
        return np.arange(length)
    return np.unique(np.append(np.geomspace(1, length, keep).astype(int) - 1, length - 1))


def marker(line_style: Style) -> dict[str, Any]:
    """Filled for our methods; hollow and larger for scipy's, so that both are visible at the same point."""
    return {
        "marker": line_style.marker,
        "markersize": 9 if line_style.dashed else 6.5,
        "markerfacecolor": "none" if line_style.dashed else line_style.colour,
        "markeredgecolor": line_style.colour,
    }


def legend(
    figure: Figure,
    runs: Iterable[Run],
    extra: Sequence[Line2D] = (),
    *,
    names: Mapping[str, str] | None = None,
    columns: int = 5,
) -> None:
    """Draw the legend below the figure: names of methods, or their entries in ``names``, second-order methods first."""
    handles: list[Line2D] = []
    for method in sorted(methods(runs), key=lambda name: (FAMILIES.index(family(name)), name.startswith("scipy:"))):
        line_style = style(method)
        label = method if names is None else names.get(method, method)
        line = {"linestyle": (0, (4, 2)), "linewidth": 1.1} if line_style.dashed else {"linewidth": 1.9}
        handles.append(Line2D([], [], color=line_style.colour, label=label, **line, **marker(line_style)))
        if line_style.dashed:
            handles[-1].set(markerfacecolor="white", markersize=7)
    handles += extra
    columns = min(columns, len(handles))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)


def spread(heights: Sequence[float], gap: float = LEAST_GAP, low: float = 0.0, high: float = 1.0) -> list[float]:
    """Positions as close to the given heights as possible without overlap, in the same order.

    Examples
    --------
    >>> [round(y, 3) for y in spread([0.5, 0.5, 0.9], gap=0.1)]
    [0.45, 0.55, 0.9]
    """
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    groups: list[list[int]] = []
    centres: list[float] = []
    for i in order:
        groups.append([i])
        centres.append(heights[i])
        # names that would overlap form a group around the mean of their heights
        while True:
            half = [gap * (len(group) - 1) / 2 for group in groups[-2:]]
            centres[-1] = min(max(centres[-1], low + half[-1]), high - half[-1])
            if len(groups) == 1 or centres[-1] - half[-1] - centres[-2] - half[-2] >= gap - 1e-12:
                break
            merged = groups[-2] + groups[-1]
            groups[-2:] = [merged]
            centres[-2:] = [sum(heights[k] for k in merged) / len(merged)]
    places = [0.0] * len(heights)
    for group, centre in zip(groups, centres, strict=True):
        for k, i in enumerate(group):
            places[i] = centre + gap * (k - (len(group) - 1) / 2)
    return places


def line_styles(methods: Sequence[str]) -> dict[str, LineStyle]:
    """A line style for each of at most eight methods: its fixed colour, and a pattern of dashes that no other has.

    A solver of scipy's has the colour of its counterpart, but is not the solid one. A method without a colour gets the
    next free colour of Okabe & Ito.
    """
    if len(methods) > MAX_LINES:
        raise ValueError(f"methods must be at most {MAX_LINES} in one figure, got {len(methods)}")
    colours = {method: style(method).colour for method in methods}
    free = [colour for colour in OKABE_ITO if colour not in colours.values()]
    assigned: dict[str, str] = {}
    for method in methods:
        if colours[method] == _NO_COLOUR:
            colours[method] = assigned.setdefault(counterpart(method), free.pop(0) if free else _NO_COLOUR)
    ours_first = sorted(methods, key=lambda method: method.startswith("scipy:"))
    return {method: LineStyle(colours[method], dashes) for method, dashes in zip(ours_first, _DASHES, strict=False)}


def name_ends(axes: Axes, ends: Sequence[tuple[str, float, LineStyle]]) -> None:
    """Write names next to the right edge, each joined to the end of its line.

    Parameters
    ----------
    axes : Axes
        With its limits set.
    ends : sequence of (text, height, LineStyle)
        Heights in data.
    """
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = [float(to_axes.transform((axes.get_xlim()[1], height))[1]) for _, height, _ in ends]
    gap = min(LEAST_GAP, 1.0 / max(len(ends), 1))  # figures with many names are taller
    for (text, _, line_style), height, place in zip(ends, heights, spread(heights, gap), strict=True):
        axes.plot(
            [1.0, 1.03, 1.09],
            [height, place, place],
            transform=axes.transAxes,
            clip_on=False,
            color=line_style.colour,
            linestyle=line_style.dashes,
            linewidth=1.6,
            zorder=3,
        )
        axes.text(1.10, place, text, transform=axes.transAxes, va="center", ha="left", fontsize=9, color="#222222")


def clean_axes(axes: Axes, grid: str = "#dddddd") -> None:
    """A pale grid behind the lines, no minor ticks, no frame at the top and on the right."""
    axes.grid(color=grid, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)


def save(figure: Figure, path: Path, *, dpi: int = 130) -> Path:
    """Write the figure in the format of the path's suffix, PNG or SVG; the same figure gives the same bytes."""
    if path.suffix == ".svg":
        path.write_text(svg_text(figure), encoding="utf-8")
    else:
        figure.savefig(path, dpi=dpi, metadata={"Software": None}, facecolor="white")
    return path


def svg_text(figure: Figure) -> str:
    """The figure as the text of an SVG file: without a date, text as text, coordinates to a tenth of a point."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "newtonkit"}):
        figure.savefig(
            buffer,
            format="svg",
            dpi=130,
            metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")),
            facecolor="white",
        )
    return _LONG_DECIMAL.sub(r"\1", buffer.getvalue()).replace(" \nL ", "L")
