"""``newtonkit experiment NAME | list`` and ``newtonkit tune``."""

from __future__ import annotations

from pathlib import Path

import click

from comparisons.cli.arguments import get_problem, named_values, problem_options, standard_output
from comparisons.report.document import Table
from comparisons.report.terminal import rich_table, show
from comparisons.studies import registry as experiments


@click.command()
@click.argument("name")
@click.option("--seed", default=0, show_default=True, help="Seed of all random numbers.")
@click.option("--quick", is_flag=True, help="A version of a few seconds, too short for conclusions.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the experiment.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for report.html, report.md and the figures. Default: experiments/NAME.",
)
def experiment(name: str, seed: int, quick: bool, options: tuple[str, ...], out: Path | None) -> None:
    """Run the experiment NAME and write its report.

    The name "list" lists the experiments.
    """
    if name == "list":
        rows = [
            [known, experiments.summary(known), ", ".join(experiments.options(known))] for known in experiments.names()
        ]
        table = Table("", ("experiment", "description", "options"), rows, text=(0, 1, 2))
        standard_output().print(rich_table(table))
        return
    folder = out or Path("experiments") / name
    document = experiments.run(name, folder, seed=seed, quick=quick, **named_values("--option", options))
    show(document, standard_output())
    click.echo(f"\nreport: {folder / 'report.html'}")


@click.command()
@problem_options
@click.option("--method", default="adam", show_default=True, help="A method with a learning rate.")
@click.option("--gradients", default=500, show_default=True, help="Gradients per rate and start.")
@click.option("--starts", default=3, show_default=True, help="Held-out starts on which a rate is judged.")
def tune(
    problem: str, dimension: int | None, params: tuple[str, ...], method: str, gradients: int, starts: int
) -> None:
    """Tune a learning rate on PROBLEM, from starts that no comparison reports on."""
    from comparisons.report.tuning_tables import search_table, trial_table
    from comparisons.running.tuning import search

    chosen = get_problem(problem, dimension, params)
    found = search(chosen, method, budget=gradients, starts=starts, finer=4)
    console = standard_output()
    console.print(rich_table(trial_table(found, f"{method} on {chosen.label}: gradients until {found.target}")))
    console.print(rich_table(search_table({method: found})))
