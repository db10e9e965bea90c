"""The tables of the classifier's figures say what was measured."""

from __future__ import annotations

import io

import numpy as np
from rich.console import Console

from comparisons.report.terminal import rich_table
from comparisons.studies.critical_points.classifier import bar_table, judged, large_table, sentence_table, verdict_table
from comparisons.studies.critical_points.classifier_cases import MINIMUM, Case
from comparisons.studies.critical_points.saddle_claims import claims_table, scipy_claims


def printed(table):
    console = Console(file=io.StringIO(), width=230)
    console.print(rich_table(table))
    return [line.split() for line in console.file.getvalue().splitlines()]


def test_right_undecided_and_wrong_answers_are_counted_apart():
    def fun(x):
        return x[0] ** 4

    def hard(x):
        return x[0] ** 4 + x[1] ** 4 + x[2] ** 4

    answers = [
        judged(Case("x⁴ at 0", 0.0, MINIMUM, fun, np.zeros(1))),
        judged(Case("three of them", 0.0, MINIMUM, hard, np.zeros(3))),
        judged(Case("x⁴ at 1", 0.0, MINIMUM, fun, np.ones(1))),
    ]
    assert [answer.outcome for answer in answers] == ["right", "undecided", "wrong"]
    assert printed(verdict_table(answers))[-1] == ["all", "3", "1", "1", "1"]


def test_every_source_of_the_hessian_has_its_row_of_bars():
    rows = printed(bar_table(range(5)))[2:]
    assert [row[:-5] for row in rows] == [
        ["exact", "derivatives"],
        ["differences", "of", "the", "gradient"],
        ["differences", "of", "f"],
    ]
    assert all(row[-5] == "100.00%" for row in rows)


def test_the_statements_at_large_n_count_their_products():
    """−1 + 2(1 − cos(kπ/100)) < 0 for k < 100/3; the lattice's 2cos(iπ/11) + 2cos(jπ/11) vanish for i + j = 11."""
    rows = [" ".join(row) for row in printed(large_table([100]))[2:]]
    assert rows[0].startswith("100 chain at 0: no minimum, by one vector index ≥ 1 1 ")
    assert rows[1].startswith("100 chain at 0: index, by 50 vectors index ≥ 25 50 ")
    assert rows[4].startswith("100 chain at 0: exact index 34 negative, 0 zero, 66 positive 3 ")
    assert rows[5].startswith("100 chain at 1: exact index 0 negative, 0 zero, 100 positive 3 ")
    assert "45 negative, 10 zero, 45 positive" in rows[6]


def test_the_sentences_name_every_kind_they_should():
    kinds = [" ".join(row) for row in printed(sentence_table())[2:]]
    for i, kind in enumerate(["not critical", "not critical", "minimum", "minimum", "saddle", "saddle", "minimum"]):
        assert f" {kind}: " in kinds[i]


def test_every_claim_of_scipys_has_a_row():
    rows = printed(claims_table(scipy_claims()))[2:]
    assert len(rows) == 22
    assert sum("contradicted" in row for row in rows) == 20
