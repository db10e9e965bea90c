"""Large fits: a sparse one like bundle adjustment, and a tall dense one; seconds and costs, compared with scipy."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np
import scipy.optimize
import scipy.sparse as sp

import newtonkit
from comparisons.report.document import Table
from newtonkit.derivatives.residuals import ResidualDerivatives
from newtonkit.fitting.column_groups import GroupedColumns

_SEEN = 16  # cameras that see a point
_PRIOR = 100.0  # weight of the first two cameras' known parameters, which fix the frame of coordinates


@dataclass(frozen=True)
class LargeFit:
    """Residuals, Jacobian, start, and the pattern of a sparse Jacobian."""

    name: str
    residuals: Callable[[Any], Any]
    jacobian: Callable[[Any], Any]
    start: Any
    pattern: Any = None


def large_table(cameras: int = 100, points: int = 3033, rows: int = 1_000_000) -> Table:
    """Seconds, evaluations and cost of each solver on both fits."""
    lines = []
    for fit in (bundle(cameras, points), tall(rows)):
        size = f"{fit.residuals(fit.start).size} × {fit.start.size}"
        for name, solve in _solvers(fit).items():
            begin = time.perf_counter(), time.process_time()
            result = solve()
            wall, processor = time.perf_counter() - begin[0], time.process_time() - begin[1]
            seconds = [f"{wall:.1f}", f"{processor:.1f}"]
            counts = [str(result.nfev), str(result.njev)]
            lines.append([fit.name, size, name, *seconds, *counts, f"{result.cost:.10g}", result.success])
    headings = ["fit", "size", "solver", "seconds", "of the processor", "r", "J", "cost", "success"]
    rows_of_text = [[str(entry) for entry in line] for line in lines]
    return Table("Large fits", headings, rows_of_text, text=(0, 1, 2))


def _solvers(fit: LargeFit) -> dict[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {
        "newtonkit": lambda: newtonkit.least_squares(fit.residuals, fit.start, fit.jacobian),
        "scipy trf": lambda: scipy.optimize.least_squares(fit.residuals, fit.start, fit.jacobian, x_scale="jac"),
        "scipy trf, 1e-10": lambda: scipy.optimize.least_squares(
            fit.residuals, fit.start, fit.jacobian, x_scale="jac", ftol=1e-10, xtol=1e-10, gtol=1e-10, max_nfev=100
        ),
    }
    if fit.pattern is not None:
        found["newtonkit, pattern only"] = lambda: newtonkit.least_squares(
            fit.residuals, fit.start, jac_sparsity=fit.pattern
        )
    return found


def bundle(cameras: int, points: int, seed: int = 0) -> LargeFit:
    """Cameras of 9 parameters (rotation, translation, focal length, two distortions) that see points in space."""
    rng = np.random.default_rng(seed)
    point = np.repeat(np.arange(points), _SEEN)
    camera = np.concatenate([rng.choice(cameras, _SEEN, replace=False) for _ in range(points)])
    places = rng.standard_normal((points, 3))
    depth = -8.0 + 0.3 * rng.standard_normal(cameras)
    truth = np.column_stack(
        [
            0.2 * rng.standard_normal((cameras, 3)),
            0.3 * rng.standard_normal((cameras, 2)),
            depth,
            500.0 + 10.0 * rng.standard_normal(cameras),
            1e-2 * rng.standard_normal(cameras),
            1e-3 * rng.standard_normal(cameras),
        ]
    )
    pixels = 0.5 * rng.standard_normal(2 * point.size)
    measured = _projected(truth[camera], places[point]) + pixels
    known, split = truth.ravel()[:18], 9 * cameras

    def residuals(z: Any) -> Any:
        all_cameras, all_places = anp.reshape(z[:split], (-1, 9)), anp.reshape(z[split:], (-1, 3))
        seen = _projected(all_cameras[camera], all_places[point]) - measured
        return anp.concatenate([seen, _PRIOR * (z[:18] - known)])

    columns = np.hstack([9 * camera[:, None] + np.arange(9), split + 3 * point[:, None] + np.arange(3)])
    rows = np.concatenate([np.repeat(np.arange(point.size) + side * point.size, 12) for side in (0, 1)])
    n = split + 3 * points
    seen = sp.csr_array((np.ones(rows.size), (rows, np.tile(columns.ravel(), 2))), shape=(2 * point.size, n))
    groups = GroupedColumns(sp.vstack([seen, sp.eye_array(18, n)]), n)
    derivatives, directions = ResidualDerivatives(residuals), groups.directions()
    near = truth * (1.0 + 0.002 * rng.standard_normal(truth.shape)) + 0.002 * rng.standard_normal(truth.shape)
    start = np.concatenate([near.ravel(), (places + 0.02 * rng.standard_normal(places.shape)).ravel()])

    def jacobian(z: Any) -> Any:
        return groups.expand(derivatives.products(np.asarray(z), directions))

    return LargeFit("bundle adjustment", residuals, jacobian, start, groups.pattern)


def _projected(camera: Any, place: Any) -> Any:
    """The two coordinates in the image, first all of the one, then all of the other."""
    w = camera[:, :3]
    angle = anp.sqrt(anp.sum(w * w, axis=1))
    a, b, c = (w[:, i] / angle for i in range(3))
    x, y, z = place[:, 0], place[:, 1], place[:, 2]
    cos, sin = anp.cos(angle), anp.sin(angle)
    along = (a * x + b * y + c * z) * (1.0 - cos)
    u = x * cos + (b * z - c * y) * sin + a * along + camera[:, 3]
    v = y * cos + (c * x - a * z) * sin + b * along + camera[:, 4]
    depth = z * cos + (a * y - b * x) * sin + c * along + camera[:, 5]
    p, q = -u / depth, -v / depth
    square = p * p + q * q
    focal = camera[:, 6] * (1.0 + camera[:, 7] * square + camera[:, 8] * square * square)
    return anp.concatenate([focal * p, focal * q])


def tall(rows: int, waves: int = 10, seed: int = 0) -> LargeFit:
    """Sines with unknown amplitudes and frequencies, sampled at very many times."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0.0, 2.0 * np.pi, rows)
    middle = 1.5 * np.arange(1.0, waves + 1.0)
    amplitudes, frequencies = rng.uniform(1.0, 2.0, waves), middle + 0.03 * rng.standard_normal(waves)
    y = sum(a * np.sin(w * t) for a, w in zip(amplitudes, frequencies, strict=True)) + 0.1 * rng.standard_normal(rows)

    def residuals(x: Any) -> Any:
        return sum(x[i] * anp.sin(x[waves + i] * t) for i in range(waves)) - y

    def jacobian(x: Any) -> Any:
        sines = [np.sin(x[waves + i] * t) for i in range(waves)]
        return np.column_stack([*sines, *(x[i] * t * np.cos(x[waves + i] * t) for i in range(waves))])

    return LargeFit("sines", residuals, jacobian, np.concatenate([np.full(waves, 1.5), middle]))
