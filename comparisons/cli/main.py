"""The command line: the group ``newtonkit``. A command's module is imported when the command is used."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import click

# name: module and name of the command there, and the first line of its help, so that --help imports no command
COMMANDS = {
    "compare": ("compare_command:compare", "Run methods over problems, check ours against scipy, write a report."),
    "solve": ("solve_command:solve", "Minimize one PROBLEM and print the result."),
    "fit": ("fit_command:fit", "Fit a curve to the columns of the file DATA and print a report."),
    "classify": ("classify_command:classify", "Classify a point of PROBLEM, or list its critical points in a box."),
    "draw": ("draw_command:draw", "Draw one figure of a PROBLEM, with a caption."),
    "experiment": ("experiment_command:experiment", "Run the experiment NAME and write its report."),
    "tune": ("experiment_command:tune", "Tune a learning rate on PROBLEM, from starts that no comparison reports on."),
    "list": ("list_command:list_", "List the problems or the methods."),
    "benchmark": ("study_commands:benchmark", "Score our solvers, scipy's and GALAHAD's on the test problems."),
    "overhead": ("study_commands:overhead", "Time the work per iteration of each method, without user functions."),
    "derivatives": ("study_commands:derivatives", "Time derivatives: by hand, autograd, the tape, JAX."),
    "walltime": ("study_commands:walltime", "Time whole runs of our solvers and of scipy's."),
    "fits": ("study_commands:fits", "Compare least squares with scipy's methods and lmfit."),
    "classifier": ("study_commands:classifier", "Test classify on points of known kind."),
    "finder": ("study_commands:finder", "Test find_critical_points where the number of points is known."),
}


class _Commands(click.Group):
    """Commands that are imported on use. A user's mistake becomes one sentence and exit code 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"comparisons.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help text."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError:  # an extra is not installed: `comparisons.__main__` names it
            raise
        except (ValueError, TypeError, ImportError, FileNotFoundError, NotADirectoryError, PermissionError) as error:
            if os.environ.get("NEWTONKIT_DEBUG"):
                raise
            raise click.UsageError(str(error), self._failed_context(ctx)) from error

    def _failed_context(self, ctx: click.Context) -> click.Context:
        """The context of the command that was run: its help is shown with the error."""
        name = ctx.invoked_subcommand or ""
        command = self.get_command(ctx, name)
        return ctx if command is None else click.Context(command, parent=ctx, info_name=name)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # slow to import; for --version only

    try:
        return version("newtonkit")
    except PackageNotFoundError:  # run from the source folder, not installed
        import newtonkit

        return newtonkit.__version__


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"newtonkit, version {_version()}")
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Version.")
def main() -> None:
    """Second-order and quasi-Newton optimization: solve, classify, compare.

    \b
    newtonkit compare                       the default comparison, with a report in ./report
    newtonkit compare -p rosenbrock -m bfgs -m lbfgs
    newtonkit solve rosenbrock -n 100 --method lbfgs
    newtonkit fit data.csv --model "a*exp(-b*x) + c"
    newtonkit classify himmelblau --at 3,2
    newtonkit classify himmelblau --all --plot himmelblau.png
    newtonkit draw basins himmelblau
    newtonkit experiment list
    newtonkit tune beale --method adam
    newtonkit list problems
    """
