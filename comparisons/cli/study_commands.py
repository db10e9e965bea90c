"""``newtonkit benchmark | overhead | derivatives | walltime | fits | classifier | finder``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from rich.console import Console

from comparisons.cli.arguments import progress
from comparisons.report.document import Document, Note
from comparisons.report.terminal import show
from comparisons.studies.registry import measure
from comparisons.studies.solvers.solver_benchmark import Terms

_WIDTH = 230  # columns: the widest table fits


@click.command()
@click.option("-p", "--problem", "names", multiple=True, help="A problem; repeat for more. Default: all.")
@click.option("-t", "--tag", "tags", multiple=True, help="Only problems with this tag; repeat for several.")
@click.option(
    "-m", "--method", "methods", multiple=True, help="A solver: our method, scipy:NAME or galahad:NAME; repeat."
)
@click.option("-s", "--start", "starts", multiple=True, help="A start by name; repeat for more. Default: every start.")
@click.option("--bounded", is_flag=True, help="The problems with bounds instead, by the solvers that accept bounds.")
@click.option("--gradients", default=Terms.gradients, show_default=True, help="Gradients that a run may evaluate.")
@click.option("--gtol", default=Terms.gtol, show_default=True, help="Tolerance on ‖g‖∞.")
@click.option("--jobs", default=min(2, os.cpu_count() or 1), show_default=True, help="Number of processes.")
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
    bounded: bool,
    gradients: int,
    gtol: float,
    jobs: int,
    python: str,
    out: Path,
) -> None:
    """Score our solvers, scipy's and GALAHAD's on the test problems.

    The solvers are our second-order and quasi-Newton methods, six of scipy's and two of GALAHAD's; with --bounded, our
    methods that accept bounds, four of scipy's and one of GALAHAD's. docs/benchmarks.md explains what is measured and
    how it is scored.
    """
    terms = Terms(gtol=gtol, gradients=gradients, python=python)
    with progress("running") as (start, advance):
        document = measure(
            "benchmark",
            names=names,
            tags=tags,
            methods=methods,
            starts=starts,
            bounded=bounded,
            terms=terms,
            jobs=jobs,
            out=out,
            on_start=start,
            on_done=lambda cell: advance(f"{cell.name} · {cell.method}"),
        )
    _show(document)


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
@click.option("--repeats", default=7, show_default=True, help="Runs of each; the median is shown.")
@click.option(
    "--training", is_flag=True, help="Instead: a step of Adam on three networks, compared with PyTorch if installed."
)
def overhead(sizes: tuple[int, ...], repeats: int, training: bool) -> None:
    """Time the work per iteration of each method, without user functions.

    scipy's solvers are timed in the same way. Set OMP_NUM_THREADS=1: at these sizes several threads are slower.
    """
    _show(measure("overhead-training") if training else measure("overhead", sizes=sizes, repeats=repeats))


@click.command()
@click.option("--sparse", is_flag=True, help="Time sparse Hessians instead, up to a million variables.")
@click.option("-n", "sizes", multiple=True, type=int, default=(10**3, 10**4, 10**5, 10**6), help="Sizes for --sparse.")
def derivatives(sparse: bool, sizes: tuple[int, ...]) -> None:
    """Time derivatives: by hand, autograd, the tape, JAX.

    JAX is included if it is installed.
    """
    _show(measure("derivatives-sparse", sizes=sizes) if sparse else measure("derivatives"))


@click.command()
@click.option("--sparse", is_flag=True, help="Run two problems with sparse Hessians instead.")
@click.option("-n", "sizes", multiple=True, type=int, default=(10**3, 10**4, 10**5, 10**6), help="Sizes for --sparse.")
@click.option("--limit", default=60.0, show_default=True, help="Seconds after which a run is stopped.")
@click.option("--repeats", default=5, show_default=True, help="Runs of each; the median is shown.")
def walltime(sparse: bool, sizes: tuple[int, ...], limit: float, repeats: int) -> None:
    """Time whole runs of our solvers and of scipy's.

    Each is run with our derivatives and with those of plain autograd.
    """
    _show(measure("walltime", sparse=sparse, sizes=sizes, limit=limit, repeats=repeats))


@click.command()
@click.option("-d", "--data", multiple=True, help="One of NIST's data sets; repeat for more. Default: all 27.")
@click.option(
    "-p", "--problem", "sums", multiple=True, help="One of the sums of squares; repeat for more. Default: all."
)
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(["nist", "mgh", "outliers", "coverage", "large"]),
    help="Only this part; repeat for several. Coverage and large take minutes and are left out by default.",
)
@click.option("--seed", default=0, show_default=True, help="Of the outliers and of the simulated data.")
def fits(data: tuple[str, ...], sums: tuple[str, ...], parts: tuple[str, ...], seed: int) -> None:
    """Compare least squares with scipy's methods and lmfit.

    scipy's methods are its three and curve_fit; lmfit is compared if it is installed.

    NIST's regression data, the sums of squares of Moré, Garbow and Hillstrom, fits with outliers, and the coverage of
    intervals. Exits with 1 if one of our methods reports a false success.
    """
    _show(measure("fits", data=data, sums=sums, parts=parts, seed=seed))


@click.command()
@click.option("--seeds", default=30, show_default=True, help="Random changes of variables for each form of point.")
@click.option("--bars", default=1000, show_default=True, help="Hessians for each source of derivatives.")
@click.option("-n", "sizes", multiple=True, type=int, default=(10_000, 100_000), show_default=True, help="Large sizes.")
def classifier(seeds: int, bars: int, sizes: tuple[int, ...]) -> None:
    """Test classify on points of known kind.

    Degenerate points, error bars, large n, and points that scipy's solvers report as solutions although they are
    saddles. Exits with 1 if a verdict is wrong.
    """
    _show(measure("classifier", seeds=seeds, bars=bars, sizes=sizes))


@click.command()
@click.option(
    "-f", "--function", "names", multiple=True, help="A function of the table; repeat for more. Default: all."
)
@click.option("--scale", is_flag=True, help="Also with f × 1e-12, f × 1e12, and the last variable in units of 1e-9.")
def finder(names: tuple[str, ...], scale: bool) -> None:
    """Test find_critical_points where the number of points is known.

    The index-1 saddles between minima are compared too. Exits with 1 if a number differs, or is not proved.
    """
    _show(measure("finder", names=names, scale=scale))


def _show(document: Document) -> None:
    """Print the document; exit with 1 if it contains bad news."""
    show(document, Console(width=_WIDTH))
    if any(note.tone == "bad" for note in document.parts(Note)):
        sys.exit(1)
