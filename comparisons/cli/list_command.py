"""``newtonkit list``."""

from __future__ import annotations

from typing import Any

import click

import problems
from comparisons.cli.arguments import standard_output
from comparisons.report.document import Table
from comparisons.report.terminal import rich_table
from comparisons.running.scipy_solvers import solver_names
from newtonkit.methods.registry import METHODS, make_method, option_names


@click.command("list")
@click.argument("what", type=click.Choice(["problems", "methods"]))
@click.option("-t", "--tag", "tags", multiple=True, help="Only problems with this tag.")
def list_(what: str, tags: tuple[str, ...]) -> None:
    """List the problems or the methods."""
    if what == "problems":
        rows = [[name, problems.summary(name)] for name in problems.names(tags or None)]
        table = Table("", ("problem", "description"), rows, text=(0, 1))
    else:
        methods = [[name, _first_line(cls), ", ".join(_defaults(name))] for name, cls in METHODS.items()]
        solvers = [[name, "scipy's solver, for comparisons", ""] for name in solver_names()]
        table = Table("", ("method", "description", "options"), [*methods, *solvers], text=(0, 1, 2))
    standard_output().print(rich_table(table))


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0]


def _defaults(name: str) -> list[str]:
    method: Any = make_method(name)
    method = getattr(method, "rule", method)
    return [f"{option}={getattr(method, option)}" for option in option_names(name)]
