"""Animation of a race: the path of every run over the contours and its f − f*, against a common clock of cost.

frames = shoot(runs, problem, "Long valley")      one frame for each clock value
write_gif(frames, path)                           small, for pages
write_mp4(frames, path)                           where ffmpeg is installed
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.animation import FFMpegWriter
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import KDTree

from comparisons.core.labels import FIRST_ORDER, family
from comparisons.core.runs import Run
from comparisons.plots.paths import contours, known_points, landscape, pulled_in, window_of
from comparisons.plots.style import legend, marker, style, tick
from newtonkit.linalg.kernels import EPS
from problems import Problem

Vector = NDArray[np.float64]
Frame = NDArray[np.uint8]

FRAMES = 90
_SIZE = (9.0, 5.2)  # inches at 100 dpi: even numbers of pixels, which H.264 requires
_DPI = 100
_MILLISECONDS = 110  # a frame
_LAST = 3500  # the last one
_SHADES = (1.0, 0.8, 0.6, 0.45, 0.3, 0.2, 0.1)  # shades of every colour on white in the palette of a GIF
_GREYS = (
    40  # fewer than 256 in all: Pillow requires an entry for unchanged pixels, which makes files seven times smaller
)
_FADING = 3.0  # the factor of cost over which a point fades
_FAINT, _FAINTER = 0.35, 0.1  # how far; the second for the many steps of first-order methods


class _Track(NamedTuple):
    """A run as drawn: its points, their costs, and f − f*."""

    run: Run
    cost: Vector
    x: Vector
    gap: Vector


class _Runner(NamedTuple):
    """The moving parts of the animation."""

    track: _Track
    trail: LineCollection
    head: Line2D
    curve: Line2D
    end: Line2D


def shoot(
    runs: Sequence[Run],
    problem: Problem,
    title: str,
    *,
    frames: int = FRAMES,
    names: Mapping[str, str] | None = None,
) -> list[Frame]:
    """The frames of a race, RGB: the point of each method after the cost on the clock.

    The clock is logarithmic: the cost grows by the same factor in each frame. A method is drawn at its last point
    within this cost; older parts of its path fade.

    Parameters
    ----------
    runs : sequence of Run
        Of one problem of two variables from one start; the first is drawn on top.
    problem : Problem
        With a domain and a known minimum.
    title : str
    frames : int, at least 2, default 90
        At most; clock values are integers.
    names : mapping of str to str, optional
        Names of methods in the legend.
    """
    if problem.best is None:
        raise ValueError(f"{problem.label} has no known minimum to measure a gap from")
    window = window_of(runs, problem)
    tracks = [_track(run, problem.best.f, window) for run in runs]
    figure = Figure(figsize=_SIZE, dpi=_DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1.0))
    contours(left, *landscape(problem, window))
    known_points(left, problem)
    left.plot(*tracks[0].x[:1].T, "o", color="white", markeredgecolor="black", markersize=7, zorder=2)
    left.set(xlim=window[0], ylim=window[1], xlabel="x", ylabel="y")
    left.set_title(title, fontsize=11)
    _gap_axes(right, tracks)
    legend(figure, runs, names=names, columns=4)
    runners = [_runner(track, left, right) for track in reversed(tracks)]
    clock = right.set_title("", fontsize=11)
    canvas.draw()  # type: ignore[no-untyped-call]
    figure.set_layout_engine("none")  # computed once, so that the changing title does not move the axes
    background = canvas.copy_from_bbox(figure.bbox)  # type: ignore[no-untyped-call]
    shots = []
    for cost in _clock(tracks, frames):
        canvas.restore_region(background)  # type: ignore[no-untyped-call]
        clock.set_text(f"cost spent: {cost}")
        for runner in runners:
            _move(runner, cost)
            for artist, axes in ((runner.trail, left), (runner.head, left), (runner.curve, right), (runner.end, right)):
                axes.draw_artist(artist)
        right.draw_artist(clock)
        pixels: Frame = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        shots.append(pixels[..., :3].copy())
    return shots


def _track(run: Run, f_star: float, window: tuple[tuple[float, float], tuple[float, float]]) -> _Track:
    points = np.array([point.x for point in run.trace], dtype=np.float64)
    f = np.array([point.f for point in run.trace])
    cost = np.array([point.cost for point in run.trace], dtype=np.float64)
    finite = np.isfinite(points).all(axis=1)
    return _Track(run, cost[finite], pulled_in(points[finite], window), np.maximum(f[finite] - f_star, _floor(f_star)))


def _floor(f_star: float) -> float:
    """The lowest f − f* that is drawn: the rounding of f*, or a fixed value if f* is 0."""
    return max(EPS * abs(f_star), 1e-16)


def _gap_axes(axes: Axes, tracks: Sequence[_Track]) -> None:
    first = tracks[0].gap[0]
    low = min(float(track.gap.min()) for track in tracks)
    last = max(float(track.cost[-1]) for track in tracks)
    axes.set(xscale="log", yscale="log", xlim=(0.8 * tracks[0].cost[0], 1.25 * last), ylim=(low / 5, 30 * first))
    axes.set(xlabel="cost, in evaluations of f", ylabel="f − f*")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(tick)
    axes.grid(alpha=0.3)


def _runner(track: _Track, left: Axes, right: Axes) -> _Runner:
    look = style(track.run.method)
    wide = 1.3 if family(track.run.method) == FIRST_ORDER else 2.2
    trail = LineCollection([], linewidths=wide, zorder=3, animated=True)
    left.add_collection(trail)
    (head,) = left.plot([], [], linestyle="none", zorder=5, animated=True, **marker(look))
    (curve,) = right.plot([], [], color=look.colour, linewidth=wide, zorder=3, animated=True)
    (end,) = right.plot([], [], linestyle="none", zorder=5, animated=True, **marker(look))
    for dot in (head, end):
        dot.set(markeredgecolor="white", markeredgewidth=0.6)
    return _Runner(track, trail, head, curve, end)


def _clock(tracks: Sequence[_Track], frames: int) -> list[int]:
    first = tracks[0].cost[0]
    last = max(track.cost[-1] for track in tracks)
    return [int(cost) for cost in np.unique(np.ceil(np.geomspace(first, last, frames)))]


def _move(runner: _Runner, cost: int) -> None:
    """The number of points within this cost."""
    track = runner.track
    paid = max(int(np.searchsorted(track.cost, cost, side="right")), 1)
    x, spent, gap = track.x[:paid], track.cost[:paid], track.gap[:paid]
    age = np.log(cost / spent[1:]) / np.log(_FADING)
    colours = np.empty((paid - 1, 4))
    colours[:, :3] = to_rgb(style(track.run.method).colour)
    colours[:, 3] = np.clip(1.0 - age, _FAINTER if family(track.run.method) == FIRST_ORDER else _FAINT, 0.9)
    runner.trail.set_segments(list(np.stack([x[:-1], x[1:]], axis=1)))
    runner.trail.set_color(list(map(tuple, colours)))
    runner.head.set_data(*x[-1:].T)
    runner.curve.set_data(spent, gap)
    runner.end.set_data(spent[-1:], gap[-1:])


# --- files ----------------------------------------------------------------------------------------------------------


def write_gif(frames: Sequence[Frame], path: Path, runs: Sequence[Run]) -> Path:
    """The frames as a GIF in a loop with a pause at the last frame.

    All frames share one palette of the colours of the methods and of greys: a palette computed from the frames would
    give thin lines the colour of thick ones.
    """
    colours = [to_rgb(style(run.method).colour) for run in runs]
    mixed = [1.0 - shade * (1.0 - np.array(colour)) for colour in colours for shade in _SHADES]
    greys = [np.full(3, level) for level in np.linspace(0.0, 1.0, _GREYS)]
    palette = (255 * np.array([*mixed, *greys])).round()
    nearest = KDTree(palette)
    images = []
    for frame in frames:
        # Pillow's own search for the nearest colour is approximate and turns white into grey
        packed = frame.reshape(-1, 3).astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
        found, places = np.unique(packed, return_inverse=True)
        entries = nearest.query(np.stack([found >> 16, (found >> 8) & 255, found & 255], axis=1))[1]
        images.append(Image.fromarray(entries.astype(np.uint8)[places].reshape(frame.shape[:2])))
        images[-1].putpalette(palette.astype(np.uint8).tobytes())
    durations = [*[_MILLISECONDS] * (len(images) - 1), _LAST]
    images[0].save(path, save_all=True, append_images=images[1:], duration=durations, loop=0, optimize=True)
    return path


def can_write_mp4() -> bool:
    """Whether matplotlib finds ffmpeg."""
    return FFMpegWriter.isAvailable()


def write_mp4(frames: Sequence[Frame], path: Path) -> Path:
    """The frames as an MP4 file with H.264, which browsers play.

    Raises
    ------
    ValueError
        If there is no ffmpeg.
    """
    if not can_write_mp4():
        raise ValueError("an MP4 file requires ffmpeg on the PATH; install it, or write a GIF")
    height, width, _ = frames[0].shape
    screen = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
    FigureCanvasAgg(screen)
    image = screen.figimage(frames[0])
    writer = FFMpegWriter(fps=1000 // _MILLISECONDS, codec="libx264", extra_args=["-pix_fmt", "yuv420p", "-crf", "20"])
    with writer.saving(screen, str(path), _DPI):
        for frame in _lingering(frames):
            image.set_data(frame)
            writer.grab_frame()
    return path


def _lingering(frames: Sequence[Frame]) -> Iterator[Frame]:
    yield from frames
    yield from [frames[-1]] * (_LAST // _MILLISECONDS - 1)
