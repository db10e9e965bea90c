"""``newtonkit classify``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

import newtonkit
from comparisons.cli.arguments import get_problem, point_of, problem_options, start_of
from comparisons.cli.user_functions import is_user_function
from problems import Problem


@click.command()
@problem_options
@click.option("--at", "at", metavar="X,Y,…", help="The point: a start by name, or numbers.")
@click.option("--all", "everywhere", is_flag=True, help="All critical points in a box, and the paths between minima.")
@click.option(
    "--box",
    "sides",
    multiple=True,
    metavar="LOW,HIGH",
    help="For --all: once, or once for every variable. Default: the problem's window, in two variables.",
)
@click.option(
    "--plot",
    "figure",
    type=click.Path(dir_okay=False, path_type=Path),
    help="For --all: file of a figure, .png, .svg or .pdf; its folder is made if needed.",
)
def classify(
    problem: str,
    dimension: int | None,
    params: tuple[str, ...],
    at: str | None,
    everywhere: bool,
    sides: tuple[str, ...],
    figure: Path | None,
) -> None:
    """Classify a point of PROBLEM, or list its critical points in a box.

    PROBLEM is a name of the catalogue, or a function as mymodule:f or file.py:f.
    """
    x0 = None
    if is_user_function(problem):  # the number of variables is that of the point or of the box
        x0 = at or ",".join(side.split(",")[0] for side in sides) or None
    chosen = get_problem(problem, dimension, params, x0)
    if everywhere == (at is not None):
        raise ValueError("give either a point, --at X,Y,…, or --all")
    if everywhere:
        _classify_all(chosen, sides, figure)
    elif sides or figure:
        raise ValueError("--box and --plot go with --all")
    else:
        _classify_at(chosen, str(at))


def _classify_at(problem: Problem, at: str) -> None:
    x = start_of(problem, at) if at in problem.starts else point_of(at, problem.n, "--at")
    verdict = newtonkit.classify(problem.fun, x)
    click.echo(str(verdict))
    click.echo(f"  ‖∇f‖∞ = {verdict.gradient_norm:.6g}, Newton step {verdict.newton_step:.3g}")
    if verdict.eigenvalues.size:
        shown = np.array2string(verdict.eigenvalues, precision=6, threshold=10)
        error = "" if np.isnan(verdict.eigenvalue_error) else f" ± {verdict.eigenvalue_error:.1g}"
        click.echo(f"  eigenvalues {shown}{error}; index {verdict.index}, nullity {verdict.nullity}")
        click.echo(f"  level: {verdict.level}{verdict.source and f', by {verdict.source}'}")
    point, distance = problem.nearest(x)
    if point is not None:
        click.echo(f"  nearest known critical point: {point.kind} with f = {point.f:.10g}, {distance:.3g} away")


_FORMATS = (".png", ".svg", ".pdf")


def _classify_all(problem: Problem, sides: Sequence[str], figure: Path | None) -> None:
    box = _box(problem, sides)
    # a wrong file name is reported before the work begins
    if figure is not None and figure.suffix.lower() not in _FORMATS:
        raise ValueError(f"--plot must end in {', '.join(_FORMATS)}, got {figure}")
    points = newtonkit.find_critical_points(problem.fun, box)
    click.echo(f"{problem.label} on {' × '.join(f'[{low:g}, {high:g}]' for low, high in box)}")
    click.echo(str(points))
    graph = newtonkit.morse_graph(problem.fun, points)
    click.echo(str(graph))
    if figure is not None:
        figure.parent.mkdir(parents=True, exist_ok=True)
        graph.plot().savefig(figure)
        click.echo(f"figure: {figure}")


def _box(problem: Problem, sides: Sequence[str]) -> list[tuple[float, float]]:
    if not sides and problem.domain is not None:
        return list(problem.domain)
    if len(sides) not in (1, problem.n):
        raise ValueError(
            f"{problem.label} has {problem.n} variables and {'a' if problem.domain else 'no'} default box: "
            f"give --box LOW,HIGH once for all of them, or {problem.n} times; got {len(sides)}"
        )
    pairs = [point_of(side, 2, "--box") for side in sides]
    return [(float(low), float(high)) for low, high in pairs * (problem.n // len(pairs))]
