"""``newtonkit benchmark | overhead | derivatives | walltime | classifier | finder``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from rich.console import Console

import problems
from comparisons.cli.arguments import progress
from comparisons.core.runs import write_jsonl
from comparisons.studies.solver_benchmark import Terms


@click.command()
@click.option("-p", "--problem", "names", multiple=True, help="A problem; repeat for more. Default: all.")
@click.option("-t", "--tag", "tags", multiple=True, help="Only problems with this tag; repeat for several.")
@click.option("-m", "--method", "methods", multiple=True, help="A solver: ours, scipy:NAME, galahad:NAME; repeat.")
@click.option("-s", "--start", "starts", multiple=True, help="A start by name; repeat for more. Default: every start.")
@click.option("--gradients", default=Terms.gradients, show_default=True, help="Budget of gradients of a run.")
@click.option("--gtol", default=Terms.gtol, show_default=True, help="Tolerance on the gradient.")
@click.option("--jobs", default=min(2, os.cpu_count() or 1), show_default=True, help="Processes.")
@click.option("--galahad", "python", default=Terms.python, help="Interpreter that has GALAHAD. Default: this one.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("benchmark.jsonl"),
    show_default=True,
    help="File for the records of all runs.",
)
def benchmark(
    names: tuple[str, ...],
    tags: tuple[str, ...],
    methods: tuple[str, ...],
    starts: tuple[str, ...],
    gradients: int,
    gtol: float,
    jobs: int,
    python: str,
    out: Path,
) -> None:
    """Score our solvers, scipy's and GALAHAD's on the test problems.

    The solvers are our second-order and quasi-Newton methods, six of scipy's and two of GALAHAD's. docs/benchmarks.md
    explains what is measured and how it is scored.
    """
    from comparisons.running import galahad
    from comparisons.studies import solver_benchmark
    from comparisons.studies import solver_tables as benchmark_tables

    console = Console(width=190)
    chosen = solver_benchmark.chosen_solvers(methods)
    if any(method.startswith("galahad:") for method in chosen) and (sentence := galahad.missing(python)):
        console.print(sentence)
        chosen = [method for method in chosen if not method.startswith("galahad:")]
    found = [problems.get(name) for name in names or problems.names(tags or None)]
    work = solver_benchmark.cells(found, chosen, starts)
    if not work:
        raise ValueError("nothing to run: no problem has such a start, or no solver is left")
    terms = Terms(gtol=gtol, gradients=gradients, python=python)
    with progress("running", len(work)) as advance:
        trials = solver_benchmark.run_cells(
            work, terms, jobs=jobs, on_done=lambda cell: advance(f"{cell.name} · {cell.method}")
        )
    write_jsonl(trials, out)
    benchmark_tables.show(console, trials)
    console.print(f"records: {out}")


@click.command()
@click.option(
    "-n",
    "sizes",
    multiple=True,
    type=int,
    default=(2, 10, 100, 1000, 100_000),
    show_default=True,
    help="Sizes; repeat. Above 1000 only methods without matrices are run.",
)
@click.option("--repeats", default=7, show_default=True, help="Runs of each, of which the median is shown.")
@click.option(
    "--training", is_flag=True, help="Instead: a step of Adam on three networks, compared with PyTorch if installed."
)
def overhead(sizes: tuple[int, ...], repeats: int, training: bool) -> None:
    """Time the work per iteration of each method, without user functions.

    scipy's solvers are timed in the same way. Set OMP_NUM_THREADS=1: at these sizes several threads are slower.
    """
    if training:
        from comparisons.studies.training_speed import measure as measure_steps
        from comparisons.studies.training_speed import training_table

        Console(width=190).print(training_table(measure_steps()))
        return
    from comparisons.studies.overhead import kernel_table, measure, overhead_table, ratio_table

    console = Console(width=190)
    figures = measure(sizes, repeats=repeats)
    for table in (overhead_table(figures), ratio_table(figures), kernel_table(sizes)):
        console.print(table)


@click.command()
@click.option("--sparse", is_flag=True, help="Sparse Hessians instead, up to a million variables.")
@click.option("-n", "sizes", multiple=True, type=int, default=(10**3, 10**4, 10**5, 10**6), help="Sizes for --sparse.")
def derivatives(sparse: bool, sizes: tuple[int, ...]) -> None:
    """Time derivatives: by hand, autograd, the tape, JAX.

    JAX is included if it is installed.
    """
    from comparisons.studies import derivative_speed, sparse_speed

    console = Console(width=190)
    if sparse:
        console.print(sparse_speed.sparse_table(sparse_speed.measure(sizes)))
    else:
        console.print(derivative_speed.speed_table(derivative_speed.measure()))


@click.command()
@click.option("--sparse", is_flag=True, help="Chain and grid with sparse Hessians instead.")
@click.option("-n", "sizes", multiple=True, type=int, default=(10**3, 10**4, 10**5, 10**6), help="Sizes for --sparse.")
@click.option("--limit", default=60.0, show_default=True, help="Seconds after which a run is stopped.")
@click.option("--repeats", default=5, show_default=True, help="Runs of each, of which the median is shown.")
def walltime(sparse: bool, sizes: tuple[int, ...], limit: float, repeats: int) -> None:
    """Time whole runs of our solvers and of scipy's.

    Each is run with our derivatives and with those of plain autograd.
    """
    from comparisons.studies import wall_time

    cases = wall_time.sparse_cases(sizes) if sparse else wall_time.small_cases()
    Console(width=250).print(wall_time.time_table(wall_time.measure(cases, limit=limit, repeats=repeats), cases))


@click.command()
@click.option("--seeds", default=30, show_default=True, help="Random changes of variables for each form of point.")
@click.option("--bars", default=1000, show_default=True, help="Hessians for each source of derivatives.")
@click.option("-n", "sizes", multiple=True, type=int, default=(10_000, 100_000), show_default=True, help="Large sizes.")
def classifier(seeds: int, bars: int, sizes: tuple[int, ...]) -> None:
    """Test classify on points of known kind.

    Degenerate points, error bars, large n, and points that scipy's solvers report as solutions although they are
    saddles. Exits with 1 if a verdict is wrong.
    """
    from comparisons.studies.classifier_figures import show

    if show(Console(width=230), seeds=seeds, bars=bars, sizes=sizes):
        sys.exit(1)


@click.command()
@click.option(
    "-f", "--function", "names", multiple=True, help="A function of the table; repeat for more. Default: all."
)
@click.option("--scale", is_flag=True, help="Also with f × 1e-12, f × 1e12, and the last variable in units of 1e-9.")
def finder(names: tuple[str, ...], scale: bool) -> None:
    """Test find_critical_points where the number of points is known.

    The index-1 saddles between minima are compared too. Exits with 1 if a number differs, or is not proved.
    """
    from comparisons.studies.finder_figures import show

    if show(Console(width=200), names, scale=scale):
        sys.exit(1)
