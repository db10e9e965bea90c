"""``newtonkit fit``."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import click
import numpy as np

import newtonkit
from comparisons.cli.arguments import named_values
from comparisons.cli.data_file import Columns, read_columns
from comparisons.cli.model_expression import ModelExpression
from newtonkit.fitting.start_search import candidate_starts


@click.command()
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", required=True, metavar="FORMULA", help='For example "a*exp(-b*x) + c".')
@click.option("--y", "response", metavar="COLUMN", help="The response; the last column by default.")
@click.option("--sigma", metavar="COLUMN", help="Standard deviations of the response.")
@click.option(
    "--start",
    "starts",
    multiple=True,
    metavar="NAME=VALUE",
    help="A start value; all, or none: then they are found by a coarse search.",
)
@click.option("--fix", "fixed", multiple=True, metavar="NAME=VALUE", help="Keep a parameter at this value.")
@click.option("--loss", default="linear", show_default=True, help="linear, soft_l1, huber, cauchy or arctan.")
@click.option("--level", default=0.95, show_default=True, help="Of the intervals.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw data, curve and bands to a file.")
def fit(
    data: Path,
    model: str,
    response: str | None,
    sigma: str | None,
    starts: tuple[str, ...],
    fixed: tuple[str, ...],
    loss: str,
    level: float,
    plot: Path | None,
) -> None:
    """Fit a curve to the columns of the file DATA and print a report.

    Names of columns in the formula are predictors, all other names are parameters. A file without names has the columns
    x and y, or x1, x2, … and y. Exits with 1 if the fit is no success.
    """
    columns = read_columns(data)
    y = columns.pop(_column(columns, response or list(columns)[-1]))
    deviations = None if sigma is None else columns.pop(_column(columns, sigma))
    expression = ModelExpression(model, list(columns))
    x = np.array(list(columns.values())) if len(columns) > 1 else next(iter(columns.values()))
    options: dict[str, Any] = {"sigma": deviations, "absolute_sigma": sigma is not None, "fixed": _numbers(fixed)}
    options |= {"check_finite": False, "nan_policy": "omit", "loss": loss, "names": expression.parameters}
    found = best_fit(expression, x, y, _numbers(starts), options)
    click.echo(found.report(level))
    if plot is not None:
        found.plot(level).savefig(plot)
        click.echo(f"figure: {plot}")
    if not found.success:
        sys.exit(1)


def best_fit(
    expression: ModelExpression, x: Any, y: Any, start: dict[str, float], options: dict[str, Any]
) -> newtonkit.CurveFit:
    """The fit from the given start, or the best one from several that a search finds."""
    options = dict(options)
    names = options.pop("names")
    fixed = options["fixed"]
    free = [name for name in names if name not in fixed]

    def model(x: Any, *values: Any) -> Any:
        known = dict(zip(free, values, strict=True)) | fixed
        return expression(x, *[known[name] for name in names])

    options.pop("fixed")
    if start:
        points: list[Any] = [start]
    else:
        complete = np.isfinite(y) & np.isfinite(np.atleast_2d(x)).all(axis=0)
        points = candidate_starts(model, x[..., complete], y[complete], len(free))
        points = [dict(zip(free, map(float, point), strict=True)) for point in points]
        if not points:
            raise ValueError("no start was found at which the model is finite; pass --start for every parameter")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the report states what the warnings do
        fits = [newtonkit.curve_fit(model, x, y, point, **options) for point in points]
    return min(fits, key=lambda one: (not one.success, one.result.cost))


def _column(columns: Columns, name: str) -> str:
    if name not in columns:
        raise ValueError(f"there is no column {name!r}; the columns are {', '.join(columns)}")
    return name


def _numbers(assignments: tuple[str, ...]) -> dict[str, float]:
    return {name: float(value) for name, value in named_values("NAME=VALUE", assignments).items()}
