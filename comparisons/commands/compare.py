"""``newtonkit compare``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

import problems
from comparisons import tables
from comparisons.check import check
from comparisons.commands.arguments import progress, standard_output
from comparisons.records import write_jsonl
from comparisons.runner import DEFAULT_METHODS, Protocol, cells, default_problems, run_cells


@click.command()
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
    with progress("comparing", len(work)) as advance:
        runs = run_cells(work, protocol, jobs=jobs, on_done=lambda cell: advance(f"{cell.name} · {cell.method}"))
    write_jsonl(runs, out / "runs.jsonl")
    findings = check(runs)
    console = standard_output()
    tables.show(console, runs, findings)
    settings = {"command": "newtonkit " + " ".join(sys.argv[1:]), "gtol": f"{gtol:g}", "gradients": str(gradients)}
    page = write_report(runs, findings, out, settings=settings)
    console.print(f"report: {page}    records: {out / 'runs.jsonl'}")
    if not all(finding.passed for finding in findings):
        sys.exit(1)
