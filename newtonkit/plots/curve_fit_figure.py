"""The figure of a curve fit: data, curve, bands, and residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_curve_fit(
    x: Any, y: Any, grid: Any, curve: Any, bands: dict[str, tuple[Any, Any]], residuals: Any, level: float
) -> Figure:
    """Draw data and fit above, residuals below.

    Parameters
    ----------
    x, y : ndarray, shape (m,)
        The data.
    grid, curve : ndarray, shape (k,)
        The fitted curve.
    bands : dict of "confidence" and "prediction" to (lower, upper)
        On the grid.
    residuals : ndarray, shape (m,)
    level : float
        Of the bands.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 5.5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for kind, opacity in (("prediction", 0.12), ("confidence", 0.3)):
        low, high = bands[kind]
        above.fill_between(grid, low, high, color="C0", alpha=opacity, linewidth=0, label=f"{100 * level:g} % {kind}")
    above.plot(grid, curve, color="C0", label="fit")
    above.plot(x, y, "o", color="black", markersize=4, label="data")
    above.set_ylabel("y")
    above.legend(frameon=False)
    below.axhline(0.0, color="C0", linewidth=1)
    below.plot(x, residuals, "o", color="black", markersize=4)
    below.set_ylabel("y − fit")
    below.set_xlabel("x")
    return figure
