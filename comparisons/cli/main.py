"""The command line: the group ``newtonkit``, and the commands it gathers."""

from __future__ import annotations

import os
from typing import Any

import click

import newtonkit
from comparisons.cli import catalogue, measurements
from comparisons.cli import classify_command as classify
from comparisons.cli import compare_command as compare
from comparisons.cli import draw_command as draw
from comparisons.cli import experiment_command as experiment
from comparisons.cli import solve_command as solve


class _Command(click.Group):
    """A group whose commands turn a user's mistake into one clear line and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (ValueError, TypeError, ImportError, FileNotFoundError, NotADirectoryError, PermissionError) as error:
            if os.environ.get("NEWTONKIT_DEBUG"):
                raise
            raise click.UsageError(str(error), self._asked(ctx)) from error

    def _asked(self, ctx: click.Context) -> click.Context:
        """The command that was run, whose help has the answer."""
        name = ctx.invoked_subcommand or ""
        return click.Context(self.commands[name], parent=ctx, info_name=name) if name in self.commands else ctx


@click.group(cls=_Command, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(newtonkit.__version__, prog_name="newtonkit")
def main() -> None:
    """Second-order and quasi-Newton optimization: solve, classify, compare.

    \b
    newtonkit compare                       everything, with a report in ./report
    newtonkit compare -p rosenbrock -m bfgs -m lbfgs
    newtonkit solve rosenbrock -n 100 --method lbfgs
    newtonkit classify himmelblau --at 3,2
    newtonkit classify himmelblau --all --plot himmelblau.png
    newtonkit draw basins himmelblau
    newtonkit experiment list
    newtonkit tune beale --method adam
    newtonkit list problems
    """


for command in (
    compare.compare,
    solve.solve,
    classify.classify,
    draw.draw,
    experiment.experiment,
    experiment.tune,
    catalogue.list_,
    measurements.benchmark,
    measurements.overhead,
    measurements.derivatives,
    measurements.walltime,
    measurements.classifier,
    measurements.finder,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
