"""``newtonkit solve``."""

from __future__ import annotations

import sys

import click

import newtonkit
from comparisons.cli.arguments import get_problem, named_values, problem_options, start_of


@click.command()
@problem_options
@click.option("--x0", "x0", metavar="X,Y,…", help="The start of a function mymodule:f.")
@click.option("--method", default="auto", show_default=True, help="One of our methods, or auto.")
@click.option("--start", default="standard", show_default=True, help="A start by name, or numbers: 1.5,2")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option, e.g. gtol=1e-10, rate=0.1.")
@click.option("--verbose", is_flag=True, help="Print a line per iteration.")
def solve(
    problem: str,
    dimension: int | None,
    params: tuple[str, ...],
    x0: str | None,
    method: str,
    start: str,
    options: tuple[str, ...],
    verbose: bool,
) -> None:
    """Minimize one PROBLEM and print the result.

    PROBLEM is a name of the catalogue, or a function as mymodule:f or file.py:f with its start --x0.

    Exits with 1 if the run is no success.
    """
    chosen = get_problem(problem, dimension, params, x0)
    point = start_of(chosen, start)
    result = newtonkit.minimize(
        chosen.fun, point, method=method, options=named_values("--option", options) | {"disp": verbose}
    )
    click.echo(f"{chosen.label}: {chosen.formula}" if chosen.formula else f"{chosen.label}, n = {chosen.n}")
    click.echo(result)
    known = chosen.reached(result.x, result.fun)
    if known is not None:
        click.echo(f"    known: {known.kind} with f = {known.f:.10g} ({known.verified})")
    if not result.success:
        sys.exit(1)
