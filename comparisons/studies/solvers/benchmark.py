"""The benchmark of solvers: every solver on every problem from every start, scored by where its runs end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import problems
from comparisons.core.runs import write_jsonl
from comparisons.report.document import Document
from comparisons.running import galahad
from comparisons.studies.solvers.solver_benchmark import SolverTask, Terms, cells, chosen_solvers, run_cells
from comparisons.studies.solvers.solver_tables import benchmark_document


def run(
    names: Sequence[str] = (),
    *,
    tags: Sequence[str] = (),
    methods: Sequence[str] = (),
    starts: Sequence[str] = (),
    terms: Terms | None = None,
    bounded: bool = False,
    jobs: int = 1,
    out: Path | None = None,
    on_start: Callable[[int], None] = lambda total: None,
    on_done: Callable[[SolverTask], None] = lambda cell: None,
) -> Document:
    """Run the benchmark.

    Parameters
    ----------
    names, tags, methods, starts : sequence of str, default: all
        Problems, tags of problems, solvers, starts.
    terms : Terms, optional
        The budget and the tolerance of every run.
    bounded : bool, default False
        Run the problems with bounds, by the solvers that accept bounds.
    jobs : int, default 1
        Number of processes.
    out : Path, optional
        JSONL file for the records of all runs.
    on_start : callable, optional
        Called with the number of cells, a solver on a problem each.
    on_done : callable, optional
        Called with each cell after its runs.

    Raises
    ------
    ValueError
        For unknown names, or if there is nothing to run.
    """
    terms = terms or Terms()
    notes: list[str] = []
    chosen = chosen_solvers(methods, bounded=bounded)
    if any(method.startswith("galahad:") for method in chosen) and (sentence := galahad.missing(terms.python)):
        notes.append(sentence)
        chosen = [method for method in chosen if not method.startswith("galahad:")]
    if bounded:
        tags = (*tags, "bounded")
    # NIST's fits have a study of their own, as least squares: `newtonkit.least_squares`
    default = problems.names(tags) if tags else sorted(set(problems.names()) - set(problems.names("nist")))
    found = [problems.get(name) for name in names or default]
    work = cells(found, chosen, starts)
    if not work:
        raise ValueError("nothing to run: no problem has such a start, or no solver is left")
    on_start(len(work))
    trials = run_cells(work, terms, jobs=jobs, on_done=on_done)
    if out is not None:
        write_jsonl(trials, out)
        notes.append(f"records: {out}")
    document = benchmark_document(trials)
    return Document(document.title, [*document.blocks, *notes])
