"""The command line: ``newtonkit compare | solve | classify | list | benchmark | overhead | derivatives | walltime``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

import newtonkit
import problems
from comparisons import tables
from comparisons.check import check
from comparisons.records import write_jsonl
from comparisons.reference import solver_names
from comparisons.runner import DEFAULT_METHODS, Protocol, cells, default_problems, run_cells
from comparisons.solver_benchmark import Terms
from newtonkit.methods import METHODS, make_method
from problems import Problem


class _Command(click.Group):
    """A group whose commands turn a user's mistake into one clear line and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (ValueError, TypeError, ImportError) as error:
            if os.environ.get("NEWTONKIT_DEBUG"):
                raise
            raise click.UsageError(str(error), ctx) from error


@click.group(cls=_Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(newtonkit.__version__, prog_name="newtonkit")
def main() -> None:
    """Second-order and quasi-Newton optimization: solve, classify, compare.

    \b
    newtonkit compare                       everything, with a report in ./report
    newtonkit compare -p rosenbrock -m bfgs -m lbfgs
    newtonkit solve rosenbrock -n 100 --method lbfgs
    newtonkit classify himmelblau --at 3,2
    newtonkit classify himmelblau --all --plot himmelblau.png
    newtonkit list problems
    """


def _console() -> Console:
    # tables keep their columns where the output goes to a file
    return Console() if sys.stdout.isatty() else Console(width=140)


def _problem_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """PROBLEM, and its parameters."""
    command = click.option("-n", "dimension", type=int, help="Number of variables, where the problem has a choice.")(
        command
    )
    command = click.option(
        "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter of the problem, e.g. condition=1e4."
    )(command)
    return click.argument("problem")(command)


def _get(name: str, dimension: int | None, params: Sequence[str]) -> Problem:
    parameters: dict[str, Any] = {} if dimension is None else {"n": dimension}
    for param in params:
        key, sign, text = param.partition("=")
        if not sign:
            raise ValueError(f"--param must be NAME=VALUE, got {param!r}")
        parameters[key] = _literal(text)
    return problems.get(name, **parameters)


def _literal(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def _options(pairs: Sequence[str]) -> dict[str, Any]:
    found = {}
    for pair in pairs:
        key, sign, text = pair.partition("=")
        if not sign:
            raise ValueError(f"--option must be NAME=VALUE, got {pair!r}")
        found[key] = _literal(text)
    return found


def _point(text: str, n: int, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        point = np.array([float(part) for part in text.replace(" ", ",").split(",") if part])
    except ValueError:
        raise ValueError(f"{name} must be {n} numbers separated by commas, got {text!r}") from None
    if point.size != n:
        raise ValueError(f"{name} must be {n} numbers separated by commas, got {point.size}: {text!r}")
    return point


def _start(problem: Problem, text: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    if text in problem.starts:
        return np.array(problem.starts[text])
    if any(character.isdigit() for character in text):
        return _point(text, problem.n, "--start")
    raise ValueError(
        f"{problem.name} has no start {text!r}; it has {', '.join(problem.starts)}, or give {problem.n} numbers"
    )


@main.command()
@click.option("-p", "--problem", "names", multiple=True, help="A problem; repeat. Default: all but the benchmark's.")
@click.option("-t", "--tag", "tags", multiple=True, help="Only problems with this tag; repeat for several.")
@click.option("-m", "--method", "methods", multiple=True, help="A method, ours or scipy:NAME; repeat for more.")
@click.option("-s", "--start", "starts", multiple=True, help="A start by name; repeat for more. Default: standard.")
@click.option("--all-starts", is_flag=True, help="Every start that a problem has.")
@click.option("--gradients", default=Protocol.gradients, show_default=True, help="Budget of gradients of a run.")
@click.option("--gtol", default=Protocol.gtol, show_default=True, help="Tolerance on the gradient.")
@click.option("--jobs", default=min(2, os.cpu_count() or 1), show_default=True, help="Processes.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("report"),
    show_default=True,
    help="Folder for report.html, figures and runs.jsonl; made if needed.",
)
def compare(
    names: tuple[str, ...],
    tags: tuple[str, ...],
    methods: tuple[str, ...],
    starts: tuple[str, ...],
    all_starts: bool,
    gradients: int,
    gtol: float,
    jobs: int,
    out: Path,
) -> None:
    """Run methods over problems, check ours against scipy, write a report.

    Exits with 1 if the check against scipy fails.
    """
    from comparisons.report import write_report

    protocol = Protocol(gtol=gtol, gradients=gradients, tuning_gradients=max(1, gradients // 2))
    chosen = names or (problems.names(tags) if tags else default_problems())
    work = cells(chosen, methods or DEFAULT_METHODS, None if all_starts else starts or ("standard",))
    if not work:
        raise ValueError(f"no problem has a start named {' or '.join(map(repr, starts))}; see newtonkit list problems")
    out.mkdir(parents=True, exist_ok=True)
    with _progress("comparing", len(work)) as advance:
        runs = run_cells(work, protocol, jobs=jobs, on_done=advance)
    write_jsonl(runs, out / "runs.jsonl")
    findings = check(runs)
    console = _console()
    tables.show(console, runs, findings)
    settings = {"command": "newtonkit " + " ".join(sys.argv[1:]), "gtol": f"{gtol:g}", "gradients": str(gradients)}
    page = write_report(runs, findings, out, settings=settings)
    console.print(f"report: {page}    records: {out / 'runs.jsonl'}")
    if not all(finding.passed for finding in findings):
        sys.exit(1)


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[Any], None]]:
    """A bar on standard error; what it yields is called with each cell that is done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda cell: progress.update(task, advance=1, description=f"{cell.name} · {cell.method}")


@main.command()
@_problem_options
@click.option("--method", default="auto", show_default=True, help="A method of ours, or auto.")
@click.option("--start", default="standard", show_default=True, help="A start by name, or numbers: 1.5,2")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="An option, e.g. gtol=1e-10, rate=0.1.")
@click.option("--verbose", is_flag=True, help="A line per iteration.")
def solve(
    problem: str,
    dimension: int | None,
    params: tuple[str, ...],
    method: str,
    start: str,
    options: tuple[str, ...],
    verbose: bool,
) -> None:
    """Minimize one PROBLEM and print the result; exits with 1 if that is no success."""
    chosen = _get(problem, dimension, params)
    x0 = _start(chosen, start)
    result = newtonkit.minimize(chosen.fun, x0, method=method, options=_options(options) | {"disp": verbose})
    click.echo(f"{chosen.label}: {chosen.formula}")
    click.echo(result)
    point = chosen.reached(result.x, result.fun)
    if point is not None:
        click.echo(f"    known: {point.kind} with f = {point.f:.10g} ({point.verified})")
    if not result.success:
        sys.exit(1)


@main.command()
@_problem_options
@click.option("--at", "at", metavar="X,Y,…", help="The point: a start by name, or numbers.")
@click.option("--all", "everywhere", is_flag=True, help="All critical points in a box, and the ways between them.")
@click.option(
    "--box",
    "sides",
    multiple=True,
    metavar="LOW,HIGH",
    help="For --all: once, or once for every variable. Default: the problem's window, in two variables.",
)
@click.option(
    "--plot",
    "picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="For --all: file for a picture, .png, .svg or .pdf; its folder is made if needed.",
)
def classify(
    problem: str,
    dimension: int | None,
    params: tuple[str, ...],
    at: str | None,
    everywhere: bool,
    sides: tuple[str, ...],
    picture: Path | None,
) -> None:
    """Say what kind of point of PROBLEM this is, or list all its critical points in a box."""
    chosen = _get(problem, dimension, params)
    if everywhere == (at is not None):
        raise ValueError("give either a point, --at X,Y,…, or --all")
    if everywhere:
        _classify_all(chosen, sides, picture)
    elif sides or picture:
        raise ValueError("--box and --plot go with --all")
    else:
        _classify_at(chosen, str(at))


def _classify_at(problem: Problem, at: str) -> None:
    x = _start(problem, at) if at in problem.starts else _point(at, problem.n, "--at")
    verdict = newtonkit.classify(problem.fun, x)
    click.echo(str(verdict))
    click.echo(f"  ‖∇f‖∞ = {verdict.gradient_norm:.6g}, Newton step {verdict.newton_step:.3g}")
    if verdict.eigenvalues.size:
        shown = np.array2string(verdict.eigenvalues, precision=6, threshold=10)
        error = "" if np.isnan(verdict.eigenvalue_error) else f" ± {verdict.eigenvalue_error:.1g}"
        click.echo(f"  eigenvalues {shown}{error}; index {verdict.index}, nullity {verdict.nullity}")
        click.echo(f"  level: {verdict.level}{verdict.source and f', by {verdict.source}'}")
    point, distance = problem.nearest(x)
    if point is not None:
        click.echo(f"  nearest known critical point: {point.kind} with f = {point.f:.10g}, {distance:.3g} away")


_PICTURES = (".png", ".svg", ".pdf")


def _classify_all(problem: Problem, sides: Sequence[str], picture: Path | None) -> None:
    box = _box(problem, sides)
    # a mistake in the name of the file is found before the work
    if picture is not None and picture.suffix.lower() not in _PICTURES:
        raise ValueError(f"--plot must end in {', '.join(_PICTURES)}, got {picture}")
    points = newtonkit.find_critical_points(problem.fun, box)
    click.echo(f"{problem.label} on {' × '.join(f'[{low:g}, {high:g}]' for low, high in box)}")
    click.echo(str(points))
    graph = newtonkit.morse_graph(problem.fun, points)
    click.echo(str(graph))
    if picture is not None:
        picture.parent.mkdir(parents=True, exist_ok=True)
        graph.plot().savefig(picture)
        click.echo(f"picture: {picture}")


def _box(problem: Problem, sides: Sequence[str]) -> list[tuple[float, float]]:
    if not sides and problem.domain is not None:
        return list(problem.domain)
    if len(sides) not in (1, problem.n):
        raise ValueError(
            f"{problem.label} has {problem.n} variables and {'a' if problem.domain else 'no'} window of its own: "
            f"give --box LOW,HIGH once for all of them, or {problem.n} times; got {len(sides)}"
        )
    pairs = [_point(side, 2, "--box") for side in sides]
    return [(float(low), float(high)) for low, high in pairs * (problem.n // len(pairs))]


@main.command("list")
@click.argument("what", type=click.Choice(["problems", "methods"]))
@click.option("-t", "--tag", "tags", multiple=True, help="Only problems with this tag.")
def list_(what: str, tags: tuple[str, ...]) -> None:
    """List the problems or the methods."""
    table = Table(box=None)
    if what == "problems":
        for heading in ("problem", "what it is"):
            table.add_column(heading)
        for name in problems.names(tags or None):
            table.add_row(name, problems.summary(name))
    else:
        for heading in ("method", "what it is", "options"):
            table.add_column(heading)
        for name, cls in METHODS.items():
            table.add_row(name, _first_line(cls), ", ".join(_defaults(name)))
        for name in solver_names():
            table.add_row(name, "scipy's solver, for comparisons", "")
    _console().print(table)


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0]


def _defaults(name: str) -> list[str]:
    from newtonkit.methods import option_names

    method: Any = make_method(name)
    method = getattr(method, "rule", method)
    return [f"{option}={getattr(method, option)}" for option in option_names(name)]


@main.command()
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
    """Score our second-order and quasi-Newton methods beside scipy's six and GALAHAD's two.

    What is measured, and how it is scored, stands in docs/benchmarks.md.
    """
    from comparisons import benchmark_tables, galahad, solver_benchmark

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
    with _progress("running", len(work)) as advance:
        trials = solver_benchmark.run_cells(work, terms, jobs=jobs, on_done=advance)
    write_jsonl(trials, out)
    benchmark_tables.show(console, trials)
    console.print(f"records: {out}")


@main.command()
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
def overhead(sizes: tuple[int, ...], repeats: int) -> None:
    """Time each method's own work per iteration, user functions taken off, beside scipy's.

    Set OMP_NUM_THREADS=1: threads of the linear algebra cost more than they bring at these sizes.
    """
    from comparisons.overhead import kernel_table, measure, overhead_table, ratio_table

    console = Console(width=190)
    figures = measure(sizes, repeats=repeats)
    for table in (overhead_table(figures), ratio_table(figures), kernel_table(sizes)):
        console.print(table)


@main.command()
@click.option("--sparse", is_flag=True, help="Sparse Hessians instead, up to a million variables.")
@click.option("-n", "sizes", multiple=True, type=int, default=(10**3, 10**4, 10**5, 10**6), help="Sizes for --sparse.")
def derivatives(sparse: bool, sizes: tuple[int, ...]) -> None:
    """Time derivatives: by hand, by plain autograd, by the tape, and by JAX where it is installed."""
    from comparisons import derivative_speed, sparse_speed

    console = Console(width=190)
    if sparse:
        console.print(sparse_speed.sparse_table(sparse_speed.measure(sizes)))
    else:
        console.print(derivative_speed.speed_table(derivative_speed.measure()))


@main.command()
@click.option("--sparse", is_flag=True, help="Chain and grid with sparse Hessians instead.")
@click.option("-n", "sizes", multiple=True, type=int, default=(10**3, 10**4, 10**5, 10**6), help="Sizes for --sparse.")
@click.option("--limit", default=60.0, show_default=True, help="Seconds after which a run is stopped.")
@click.option("--repeats", default=5, show_default=True, help="Runs of each, of which the median is shown.")
def walltime(sparse: bool, sizes: tuple[int, ...], limit: float, repeats: int) -> None:
    """Time whole runs: our solvers and scipy's, with our derivatives and with plain autograd's."""
    from comparisons import wall_time

    cases = wall_time.sparse_cases(sizes) if sparse else wall_time.small_cases()
    Console(width=250).print(wall_time.time_table(wall_time.measure(cases, limit=limit, repeats=repeats), cases))


if __name__ == "__main__":
    main()
