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
    """Draw one picture of a PROBLEM, with a caption in plain words.

    \b
    newtonkit draw basins himmelblau            which point each start leads to, pure Newton beside the trust region
    newtonkit draw ribbons biggs-exp6 --method bfgs       eigenvalues of the Hessian along a run
    newtonkit draw anatomy himmelblau --at 0.3,1.2        one step of the trust region
    """


_out = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File, .png or .svg; its folder is made if needed. Default: PROBLEM-PICTURE.png.",
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
    help="A method of ours, for a panel of its own; repeat for more.",
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
    """Which critical point each start in the problem's window leads to, and in how many steps."""
    from comparisons.plots import catalogue as pictures

    chosen = get_problem(problem, dimension, params)
    path = _path(out, chosen, "basins")
    with progress("starts", resolution * len(methods)) as advance:
        figure, caption = pictures.basin_picture(
            chosen, methods, resolution=resolution, on_row=lambda: advance("starts")
        )
    _save(figure, caption, path)


@draw.command()
@problem_options
@click.option("--method", default="newton", show_default=True, help="A method of ours.")
@click.option("--start", default="standard", show_default=True, help="A start by name.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the run.")
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
    """The eigenvalues of the Hessian along a run, and how many are negative."""
    from comparisons.plots import catalogue as pictures

    chosen = get_problem(problem, dimension, params)
    path = _path(out, chosen, "ribbons")
    _save(*pictures.ribbon_picture(chosen, method, start, **named_values("--option", options)), path)


@draw.command()
@problem_options
@click.option("--at", default="standard", show_default=True, metavar="X,Y", help="A start by name, or two numbers.")
@click.option("--radius", type=float, help="Of the trust region; by default that of the first step.")
@_out
def anatomy(
    problem: str, dimension: int | None, params: tuple[str, ...], at: str, radius: float | None, out: Path | None
) -> None:
    """One step of a trust region: the model, the circle, and the steps it chooses between."""
    from comparisons.plots import catalogue as pictures

    chosen = get_problem(problem, dimension, params)
    path = _path(out, chosen, "anatomy")
    place = at if at in chosen.starts else point_of(at, chosen.n, "--at")
    _save(*pictures.anatomy_picture(chosen, place, radius), path)


def _path(out: Path | None, problem: Problem, picture: str) -> Path:
    """Where the picture goes; a mistake in the name of the file is found before the work."""
    path = out or Path(f"{problem.name}-{picture}.png")
    if path.suffix.lower() not in _FORMATS:
        raise ValueError(f"--out must end in {' or '.join(_FORMATS)}, got {path}")
    return path


def _save(figure: Figure, caption: str, path: Path) -> None:
    from comparisons.plots.style import save

    path.parent.mkdir(parents=True, exist_ok=True)
    save(figure, path)
    click.echo(f"{caption}\npicture: {path}")
