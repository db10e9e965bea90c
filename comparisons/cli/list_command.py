"""``newtonkit list``."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table

import problems
from comparisons.cli.arguments import standard_output
from comparisons.running.scipy_solvers import solver_names
from newtonkit.methods.registry import METHODS, make_method, option_names


@click.command("list")
@click.argument("what", type=click.Choice(["problems", "methods"]))
@click.option("-t", "--tag", "tags", multiple=True, help="Only problems with this tag.")
def list_(what: str, tags: tuple[str, ...]) -> None:
    """List the problems or the methods."""
    table = Table(box=None)
    if what == "problems":
        for heading in ("problem", "description"):
            table.add_column(heading)
        for name in problems.names(tags or None):
            table.add_row(name, problems.summary(name))
    else:
        for heading in ("method", "description", "options"):
            table.add_column(heading)
        for name, cls in METHODS.items():
            table.add_row(name, _first_line(cls), ", ".join(_defaults(name)))
        for name in solver_names():
            table.add_row(name, "scipy's solver, for comparisons", "")
    standard_output().print(table)


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0]


def _defaults(name: str) -> list[str]:
    method: Any = make_method(name)
    method = getattr(method, "rule", method)
    return [f"{option}={getattr(method, option)}" for option in option_names(name)]
