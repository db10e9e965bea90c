"""The document of a comparison: findings first, then tables and figures, every run, and how it was made."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from comparisons.core.reference import below_reference
from comparisons.core.runs import Run
from comparisons.core.scored import ScoredTable, score_runs
from comparisons.core.solving import TOLERANCES, spending
from comparisons.plots.scoreboard import scoreboard
from comparisons.report.answer import answer_blocks
from comparisons.report.checks import audit_section, below_reference_notes, check_section, check_summary
from comparisons.report.document import Block, Bullets, Document, Note, Section, Table
from comparisons.report.figures import MAX_FIGURE_SECTIONS, problem_figures, score_sections
from comparisons.report.glossary import glossary
from comparisons.report.method_tables import key_table, method_table, overview_legend, overview_table, rate_table
from comparisons.report.problem_sections import problem_anchors, problem_sections, run_table
from comparisons.report.sentences import key_findings, method_description
from comparisons.running.batch_runs import BATCH_TOLERANCE
from comparisons.running.protocol import Protocol
from comparisons.running.scipy_check import Finding
from comparisons.scores.audit import Entry
from comparisons.scores.kinds import kinds
from comparisons.scores.measured import Measured
from problems import Problem

_ANCHORS = (
    "top",
    "findings",
    "methods",
    "endings",
    "overview",
    "scores",
    "problems",
    "check",
    "audit",
    "rates",
    "how",
    "glossary",
)
_MAX_PRINTED = 6  # problems and starts whose runs are printed on a terminal

_METHOD_NOTE = (
    "Solved: the run ended at the lowest known minimum with the required accuracy; only problems with a known minimum "
    "count. Relative cost: the cost of a run divided by that of the cheapest run on the same problem, the median over "
    "the runs that solved. Endings: global, at the lowest known minimum or one as low; local, at another minimum; "
    "saddle, at a saddle point or maximum; degenerate, at a critical point with a singular Hessian that is not known "
    "to be a minimum; diverged; budget, spent before convergence; elsewhere, stopped by itself at none of these. A "
    "false success is a report of success at a point that is not a minimum. Click a heading to sort."
)
_RATE_NOTE = (
    "The rate chosen on the held-out start, and in brackets how many rates of the grid reached the target there within "
    "the whole budget. A star marks a rate at the end of the grid: a rate beyond it might be better."
)


def comparison_document(
    runs: Sequence[Run],
    protocol: Protocol,
    *,
    findings: Sequence[Finding] = (),
    settings: Mapping[str, str] | None = None,
    measurements: Sequence[Measured] = (),
    shipped: Sequence[Entry] = (),
    tolerance: float = 1e-8,
    folder: Path | None = None,
    jobs: int = 1,
    own: Mapping[str, Problem] | None = None,
    statements: Sequence[str] = (),
) -> Document:
    """Everything that is reported of a comparison.

    Parameters
    ----------
    runs : sequence of Run
        At least one.
    protocol : Protocol
        Under which they were made.
    findings : sequence of Finding, optional
        Of the check against scipy.
    settings : mapping of str to str, optional
        How the comparison was made, shown as given.
    measurements : sequence of Measured, optional
        Prices measured on this machine, by which methods are ranked too.
    shipped : sequence of Entry, optional
        Of `comparisons.scores.audit.audit_scipy`.
    tolerance : float, default 1e-8
        Of the scores, in (0, 1): see `comparisons.core.solving`.
    folder : Path, optional
        Where the figures are written; without it there are none. The figures of single problems are left out if there
        are more than 24 problems and starts.
    jobs : int, default 1
        Processes that draw.
    own : mapping of str to Problem, optional
        Problems by their label that the catalogue does not have.
    statements : sequence of str, optional
        What f* of each of them is, and what proves it.

    Raises
    ------
    ValueError
        If there are no runs.
    """
    if not runs:
        raise ValueError("there are no runs to report")
    scored = score_runs(runs, tolerance, own)
    members = list(scored.instances.values())
    anchors = problem_anchors(runs, _ANCHORS)
    run_anchor = {id(run): f"r{k}" for k, run in enumerate(row.run for those in members for row in those)}
    many = len(members) > MAX_FIGURE_SECTIONS
    drawn: Sequence[Sequence[Block]] = [()] * len(members)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        if not many:
            drawn = problem_figures(folder, anchors, members, jobs, own)
    unscored = _unscored(runs, tolerance, own)
    scores: Sequence[Block] = [f"There are none: {unscored}." if unscored else "The figures were left out."]
    if folder is not None and not unscored:
        scores = score_sections(folder, scoreboard(runs, tolerance=tolerance, own=own, measurements=measurements))
    failed = sum(not finding.passed for finding in findings)
    rates = rate_table(runs)
    how: list[Block] = [Bullets(method_description(runs, protocol))]
    if settings:
        how.append(Table("", ("setting", "value"), list(settings.items()), text=(0, 1)))
    each = problem_sections(scored, anchors, run_anchor, drawn, own)
    blocks: list[Block] = [
        *below_reference_notes(below_reference(run for run in runs if run.problem not in (own or {}))),
        *([Note(f"{failed} of the {len(findings)} checks against scipy failed.", "bad")] if failed else []),
        *(() if unscored else answer_blocks(kinds(scored, own, _rough(runs, own)), folder)),
        Section("Methods", [key_table(scored)], "methods"),
        findings_section(runs, tolerance, own, statements),
        Section("Where the runs ended", [method_table(scored)], "endings", collapsed=True),
        Section(
            "All runs in one table",
            [overview_table(scored, anchors, run_anchor), overview_legend()],
            "overview",
            collapsed=True,
        ),
        Section("Profiles and rankings", scores, "scores", collapsed=True),
        Section("Problems", [*([_left_out()] if many else []), *each], "problems", collapsed=True),
        dataclasses.replace(check_section(runs, findings, run_anchor), collapsed=True),
        dataclasses.replace(audit_section(runs, shipped), collapsed=True),
        *([] if rates is None else [Section("Learning rates", [rates, _RATE_NOTE], "rates", collapsed=True)]),
        Section("How it was compared", [*how, _METHOD_NOTE], "how", collapsed=True),
        Section("Glossary", [glossary()], "glossary", collapsed=True),
    ]
    return Document("A comparison of optimizers", blocks)


def terminal_document(runs: Sequence[Run], findings: Sequence[Finding], tolerance: float = 1e-8) -> Document:
    """What a terminal shows of a comparison: the runs if they are few, methods, key findings and checks."""
    scored = score_runs(runs, tolerance)
    members = scored.instances
    tables = [
        run_table(those, title=f"{problem}, n = {those[0].run.n}, from {start!r}")
        for (problem, start), those in (members.items() if len(members) <= _MAX_PRINTED else ())
    ]
    return Document(
        "A comparison of optimizers",
        [
            *tables,
            Section("Methods", [method_table(scored)]),
            findings_section(runs, tolerance),
            *check_summary(findings),
            *below_reference_notes(below_reference(runs)),
        ],
    )


def findings_section(
    runs: Sequence[Run], tolerance: float, own: Mapping[str, Problem] | None = None, statements: Sequence[str] = ()
) -> Section:
    """The key findings, or why nothing can be scored."""
    reason = _unscored(runs, tolerance, own)
    if reason:
        return Section("Key findings", [*statements, f"Nothing can be scored: {reason}."], "findings")
    spent = [spending(runs, tolerance=each, own=own) for each in (tolerance, TOLERANCES[0], TOLERANCES[-1])]
    return Section("Key findings", [*statements, Bullets(key_findings(*spent))], "findings")


def _rough(runs: Sequence[Run], own: Mapping[str, Problem] | None) -> ScoredTable | None:
    """The scores at the tolerance of mini-batches; None if no method runs on mini-batches."""
    return score_runs(runs, BATCH_TOLERANCE, own) if any("batch=" in run.method for run in runs) else None


def _unscored(runs: Sequence[Run], tolerance: float, own: Mapping[str, Problem] | None = None) -> str:
    """Why the runs cannot be scored; empty if they can."""
    try:
        spending(runs, tolerance=tolerance, own=own)
    except ValueError as error:
        return str(error)
    return ""


def _left_out() -> str:
    return (
        f"There are more than {MAX_FIGURE_SECTIONS} problems and starts, so they are collapsed and have no figures of "
        "their own. newtonkit compare -p NAME draws those of a few problems."
    )
