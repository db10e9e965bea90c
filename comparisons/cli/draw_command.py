"""``newtonkit draw basins | ribbons | anatomy``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from comparisons.cli.arguments import get_problem, named_values, point_of, problem_options, progress
from problems import Problem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FORMATS = (".png", ".svg")


@click.group()
def draw() -> None:
    """Draw one figure of a PROBLEM, with a caption.

    \b
    newtonkit draw basins himmelblau            critical point reached from each start, pure Newton and trust region
    newtonkit draw ribbons biggs-exp6 --method bfgs       eigenvalues of the Hessian along a run
    newtonkit draw anatomy himmelblau --at 0.3,1.2        one trust-region step
    """


_out = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File, .png or .svg; its folder is made if needed. Default: PROBLEM-FIGURE.png.",
)


@draw.command()
@problem_options
@click.option(
    "-m",
    "--method",
    "methods",
    multiple=True,
    default=("newton-pure", "newton"),
    show_default=True,
    help="One of our methods, one panel each; repeat for more.",
)
@click.option("--resolution", default=100, show_default=True, help="Starts along each side.")
@_out
def basins(
    problem: str,
    dimension: int | None,
    params: tuple[str, ...],
    methods: tuple[str, ...],
    resolution: int,
    out: Path | None,
) -> None:
    """Draw which critical point each start in the problem's window leads to, and in how many steps."""
    from comparisons.plots.basin_plots import basin_figure

    chosen = get_problem(problem, dimension, params)
    path = _path(out, chosen, "basins")
    with progress("starts", resolution * len(methods)) as (_, advance):
        figure, caption = basin_figure(chosen, methods, resolution=resolution, on_row=lambda: advance("starts"))
    _save(figure, caption, path)


@draw.command()
@problem_options
@click.option("--method", default="newton", show_default=True, help="One of our methods.")
@click.option("--start", default="standard", show_default=True, help="A start by name.")
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the method or of minimize."
)
@_out
def ribbons(
    problem: str,
    dimension: int | None,
    params: tuple[str, ...],
    method: str,
    start: str,
    options: tuple[str, ...],
    out: Path | None,
) -> None:
    """Draw the eigenvalues of the Hessian along a run, and how many are negative."""
    from comparisons.plots.eigenvalue_ribbon_plots import ribbon_figure

    chosen = get_problem(problem, dimension, params)
    path = _path(out, chosen, "ribbons")
    _save(*ribbon_figure(chosen, method, start, **named_values("--option", options)), path)


@draw.command()
@problem_options
@click.option("--at", default="standard", show_default=True, metavar="X,Y", help="A start by name, or two numbers.")
@click.option("--radius", type=float, help="Radius of the trust region. Default: that of the first step.")
@_out
def anatomy(
    problem: str, dimension: int | None, params: tuple[str, ...], at: str, radius: float | None, out: Path | None
) -> None:
    """Draw one trust-region step: the model, the region, and the candidate steps."""
    from comparisons.plots.step_anatomy_plots import anatomy_figure

    chosen = get_problem(problem, dimension, params)
    path = _path(out, chosen, "anatomy")
    place = at if at in chosen.starts else point_of(at, chosen.n, "--at")
    _save(*anatomy_figure(chosen, place, radius), path)


def _path(out: Path | None, problem: Problem, kind: str) -> Path:
    """The file of the figure; a wrong name is reported before the work begins."""
    path = out or Path(f"{problem.name}-{kind}.png")
    if path.suffix.lower() not in _FORMATS:
        raise ValueError(f"--out must end in {' or '.join(_FORMATS)}, got {path}")
    return path


def _save(figure: Figure, caption: str, path: Path) -> None:
    from comparisons.plots.style import save

    path.parent.mkdir(parents=True, exist_ok=True)
    save(figure, path)
    click.echo(f"{caption}\nfigure: {path}")
