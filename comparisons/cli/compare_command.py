"""``newtonkit compare``."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from rich.console import Console

import problems
from comparisons.cli.arguments import progress, standard_output
from comparisons.cli.user_functions import own_problem
from comparisons.core.reference import below_reference
from comparisons.core.runs import Run, record
from comparisons.core.serialization import json_text
from comparisons.report.checks import change_notes
from comparisons.report.document import Document
from comparisons.report.terminal import show
from comparisons.running.export import WRITERS, export
from comparisons.running.protocol import MODES, SUITE, Protocol
from comparisons.running.regression_check import SHARE, changes, stored_runs
from comparisons.running.runner import (
    DEFAULT_METHODS,
    PlannedRuns,
    default_problems,
    planned_runs,
    problem_named,
    run_planned,
)
from comparisons.running.scipy_check import check
from comparisons.running.solvers import as_solver
from comparisons.running.store import Store
from comparisons.running.suites import QUICK, all_methods

_GRADIENTS, _QUICK_GRADIENTS = Protocol.gradients, 300
_BROKEN, _CHANGED, _INTERRUPTED = 1, 3, 130
_AUDITED = "rosenbrock[n=4]"  # several of scipy's solvers report wrong counts there
_SMALL = 100  # variables up to which prices are measured with all repeats

_out = click.Path(file_okay=False, path_type=Path)
_file = click.Path(dir_okay=False, path_type=Path)
_earlier = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("functions", nargs=-1, metavar="[MODULE:FUNCTION]...")
@click.option("--x0", "x0", metavar="X,Y,…", help="The start of the functions.")
@click.option("-p", "--problem", "names", multiple=True, help='A problem, as "rosenbrock[n=10]"; repeat for more.')
@click.option("-t", "--tag", "tags", multiple=True, help="Only problems with this tag; repeat for several.")
@click.option("-m", "--method", "methods", multiple=True, help='As "lbfgs[memory=20]" or scipy:NAME; repeat for more.')
@click.option("-s", "--start", "starts", multiple=True, help="A start by name; repeat for more. Default: standard.")
@click.option("--all-starts", is_flag=True, help="All starts of each problem.")
@click.option("--quick", is_flag=True, help="Twelve problems, 300 gradients per run: half a minute.")
@click.option(
    "--suite", is_flag=True, help="All problems from the suite's starts, all methods: twenty minutes or more."
)
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default=Protocol.mode,
    show_default=True,
    help="Whether the budget or each solver's own stopping rules end a run.",
)
@click.option(
    "--gtol", default=Protocol.gtol, show_default=True, help="Tolerance on ‖g‖∞; 0: until rounding prevents progress."
)
@click.option("--gradients", type=int, help=f"Gradients that a run may evaluate.  [default: {_GRADIENTS}]")
@click.option("--seed", default=Protocol.seed, show_default=True, help="Seed of the random starts.")
@click.option("--jobs", default=min(2, os.cpu_count() or 1), show_default=True, help="Number of simultaneous runs.")
@click.option("--seconds", default=math.inf, show_default=True, help="Time limit of a run.")
@click.option("--megabytes", default=math.inf, show_default=True, help="Memory limit of a run.")
@click.option(
    "--out", type=_out, default=Path("report"), show_default=True, help="Folder of the report; made if needed."
)
@click.option("--store", "kept", type=_file, help="SQLite file of the runs.  [default: runs.sqlite in the folder]")
@click.option("--resume", is_flag=True, help="Run only what the store does not contain.")
@click.option("--against", type=_earlier, help="Store of an earlier comparison: list the runs that changed.")
@click.option(
    "--share", default=SHARE, show_default=True, help="Relative difference from which a cost counts as changed."
)
@click.option("--json", "as_json", is_flag=True, help="Print only the runs, as JSON lines.")
@click.option(
    "--export", "exported", type=_file, multiple=True, help="Write the runs to a .csv, .jsonl or .parquet file; repeat."
)
@click.option("--figures/--no-figures", default=True, show_default=True, help="Figures in the report.")
def compare(
    functions: tuple[str, ...],
    x0: str | None,
    names: tuple[str, ...],
    tags: tuple[str, ...],
    methods: tuple[str, ...],
    starts: tuple[str, ...],
    all_starts: bool,
    quick: bool,
    suite: bool,
    mode: str,
    gtol: float,
    gradients: int | None,
    seed: int,
    jobs: int,
    seconds: float,
    megabytes: float,
    out: Path,
    kept: Path | None,
    resume: bool,
    against: Path | None,
    share: float,
    as_json: bool,
    exported: tuple[Path, ...],
    figures: bool,
) -> None:
    """Run methods over problems, check ours against scipy, write a report.

    By default 17 methods on 31 problems from their standard starts. A function of your own is given as mymodule:f or
    file.py:f, with its start as --x0 1.5,2; f* is then the lowest verified minimum that a run reached. The same seed
    gives the same numbers, except seconds. A run that exceeds a limit or crashes affects no other run. Finished runs
    are kept in the store if the command is stopped. The store of the previous comparison is kept as
    runs-before.sqlite.

    \b
    Exit codes:
      0    no error
      1    a check against scipy failed, a run ended below a recorded minimum, or the store cannot be written
      2    wrong arguments
      3    with --against: a verdict or a cost changed
      130  interrupted; --resume continues
    """
    if quick and suite:
        raise ValueError("give --quick or --suite, not both")
    budget = gradients or (_QUICK_GRADIENTS if quick else _GRADIENTS)
    protocol = Protocol(mode, gtol, budget, max(1, budget // 2), seed)
    if functions:
        sys.exit(_compare_own(functions, x0, names, methods, protocol, out, figures))
    if x0 is not None:
        raise ValueError("--x0 belongs to functions, as in newtonkit compare mymodule:f --x0 1.5,2")
    work = _plan(names, tags, methods, starts, all_starts, quick, suite)
    for path in exported:
        if path.suffix.lower() not in WRITERS:
            raise ValueError(f"--export must end in one of {', '.join(WRITERS)}, got {path.name!r}")
    before = None if against is None else stored_runs(against, protocol)
    out.mkdir(parents=True, exist_ok=True)
    place = _place(kept, out, resume)
    with Store(place) as store:
        runs = _made(work, protocol, store, {"jobs": jobs, "seconds": seconds, "megabytes": megabytes})
        for path in exported:
            export(store.rows(), path)
    if as_json:
        for run in runs:
            click.echo(json_text(record(run)))
    console = Console(stderr=True, width=140) if as_json else standard_output()
    well = _report(runs, protocol, out, console, figures=figures, jobs=jobs)
    console.print(f"report: {out / 'report.html'}    runs: {place}", soft_wrap=True)
    changed = [] if before is None else changes(before, runs, share=share)
    if before is not None:
        show(Document(f"Compared with {against}", change_notes(changed, len(runs))), console)
    if not well:
        sys.exit(_BROKEN)
    if changed:
        sys.exit(_CHANGED)


def _compare_own(
    functions: Sequence[str],
    x0: str | None,
    names: Sequence[str],
    methods: Sequence[str],
    protocol: Protocol,
    out: Path,
    figures: bool,
) -> int:
    """Compare functions of the user, in this process; the exit code."""
    from comparisons.api import compare as compare_runs

    given = [own_problem(text, x0) for text in functions]
    found = compare_runs([*names, *given], methods or DEFAULT_METHODS, "standard", protocol=protocol)
    click.echo(str(found))
    page = found.report(out, figures=figures)
    click.echo(f"report: {page}")
    return 0


def _plan(
    names: Sequence[str],
    tags: Sequence[str],
    methods: Sequence[str],
    starts: Sequence[str],
    all_starts: bool,
    quick: bool,
    suite: bool,
) -> list[PlannedRuns]:
    """The runs to make."""
    chosen: Iterable[str] = names
    if not names:
        chosen = problems.names(tags) if tags else problems.names() if suite else QUICK if quick else default_problems()
    where = "all" if all_starts else starts or (SUITE if suite else ("standard",))
    work = planned_runs(list(chosen), methods or (all_methods() if suite else DEFAULT_METHODS), where)
    if not work:
        raise ValueError(f"no problem has a start named {' or '.join(map(repr, starts))}; see newtonkit list problems")
    return work


def _place(kept: Path | None, out: Path, resume: bool) -> Path:
    """The file of the store; a previous one in the folder is renamed."""
    place = out / "runs.sqlite" if kept is None else kept
    if place.exists() and not resume:
        if kept is not None:
            raise ValueError(f"{place} exists already; --resume continues it")
        with Store(place):  # merges the journal that another process may have left
            pass
        place.replace(place.with_name("runs-before.sqlite"))
    return place


def _made(work: Sequence[PlannedRuns], protocol: Protocol, store: Store, limits: dict[str, float]) -> list[Run]:
    """The runs, with a progress bar over learning rates and cells."""
    untuned = {id(cell) for cell in work if as_solver(cell.method).rate == "tuned"}
    with progress("comparing", len(work) + len(untuned)) as (_, advance):

        def tuned(cell: PlannedRuns) -> None:
            untuned.discard(id(cell))
            advance(f"rate of {cell.method} on {cell.name}")

        def done(cell: PlannedRuns) -> None:
            if id(cell) in untuned:  # tuned with another cell, or stored with its rate
                tuned(cell)
            advance(f"{cell.method} on {cell.name}")

        try:
            return run_planned(
                work,
                protocol,
                jobs=int(limits["jobs"]),
                seconds=limits["seconds"],
                megabytes=limits["megabytes"],
                store=store,
                on_done=done,
                on_tuned=tuned,
            )
        except KeyboardInterrupt:
            click.echo(f"stopped; {len(store)} runs are in {store.path}; --resume continues", err=True)
            sys.exit(_INTERRUPTED)
        except OSError as error:  # the store cannot be written
            raise click.ClickException(str(error)) from error


def _report(runs: list[Run], protocol: Protocol, out: Path, console: Console, *, figures: bool, jobs: int) -> bool:
    """Write and print the report; whether all checks passed."""
    from comparisons.report.comparison import comparison_document, terminal_document
    from comparisons.report.files import write
    from comparisons.scores.audit import audit_scipy
    from comparisons.scores.measured import REPEATS, measure

    findings = check(runs)
    tolerance = protocol.scored_tolerance
    problem_runs = list({run.problem: run for run in runs}.values())
    document = comparison_document(
        runs,
        protocol,
        findings=findings,
        settings={"command": "newtonkit " + " ".join(sys.argv[1:])},
        measurements=[
            measure(problems.get(run.name, **run.parameters), REPEATS if run.n <= _SMALL else 3)
            for run in problem_runs
            if figures
        ],
        shipped=audit_scipy(problem_named(_AUDITED)) if figures else (),
        tolerance=tolerance,
        folder=out / "figures" if figures else None,
        jobs=jobs,
    )
    write(document, out)
    show(terminal_document(runs, findings, tolerance), console)
    return not below_reference(runs) and all(finding.passed for finding in findings)
