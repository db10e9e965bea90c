"""Fits with 30 % outliers by robust losses: ours and scipy's."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
import scipy.optimize

import newtonkit
from comparisons.report.document import Table


def outlier_table(seed: int = 0, count: int = 100) -> Table:
    """An exponential with 30 % outliers: the median relative error of the parameters over random data sets."""
    truth, t = np.array([3.0, 0.8, 0.5]), np.linspace(0.0, 5.0, 60)
    rng = np.random.default_rng(seed)
    data = []
    for _ in range(count):
        y = truth[0] * np.exp(-truth[1] * t) + truth[2] + 0.05 * rng.standard_normal(t.size)
        wrong = rng.permutation(t.size)[: int(0.3 * t.size)]
        y[wrong] += rng.uniform(0.5, 3.0, wrong.size)
        data.append(y)

    def residuals(p: Any, y: Any) -> Any:
        return p[0] * anp.exp(-p[1] * t) + p[2] - y

    start = np.ones(3)
    rows = []
    for loss in ("linear", "soft_l1", "huber", "cauchy", "arctan"):
        for name, solve in (("newtonkit", newtonkit.least_squares), ("scipy trf", scipy.optimize.least_squares)):
            errors, successes, calls = [], 0, []
            for y in data:
                result = solve(residuals, start, loss=loss, f_scale=0.1, args=(y,))
                errors.append(float(np.max(np.abs(result.x / truth - 1.0))))
                successes += bool(result.success)
                calls.append(result.njev)
            rows.append(
                [
                    loss,
                    name,
                    f"{np.median(errors):.3f}",
                    f"{max(errors):.3g}",
                    str(successes),
                    f"{np.exp(np.mean(np.log(calls))):.1f}",
                ]
            )
    headings = ["loss", "solver", "median error", "largest error", f"successes of {count}", "J"]
    return Table("30 % outliers: relative error of the worst parameter", headings, rows, text=(0, 1))
