"""What solvers say they evaluated, against what was called."""

import problems
from comparisons.scores.audit import Entry, audit, audit_scipy, audit_summary, entries, miscounted
from newtonkit import Counts

# by scipy 1.17; a later one may have mended some of them
KNOWN_WRONG = {
    "scipy:TNC",
    "scipy:dogleg with hess",
    "scipy:trust-ncg with hess",
    "scipy:trust-ncg with hessp",
    "scipy:trust-krylov with hess",
    "scipy:trust-krylov with hessp",
    "scipy:trust-constr with hessp",
}


def test_a_report_is_correct_if_it_equals_the_number_of_calls():
    found = entries("m", "p", "s", {"nfev": 3, "njev": 2, "nhev": 5}, Counts(f=3, g=4, H=1, Hv=4))
    assert [(e.counter, e.reported, e.called, e.correct) for e in found] == [
        ("nfev", 3, 3, True),
        ("njev", 2, 4, False),
        ("nhev", 5, 5, True),
    ]


def test_products_are_no_hessians_where_they_have_a_counter_of_their_own():
    found = entries("m", "p", "s", {"nhev": 1, "nhvp": 4}, Counts(H=1, Hv=4))
    assert all(entry.correct for entry in found)


def test_a_missing_counter_is_wrong_if_calls_were_made_and_left_out_otherwise():
    (entry,) = entries("m", "p", "s", {}, Counts(g=2))
    assert not entry.correct
    assert entry.sentence == "m on p does not report 2 calls."
    assert entries("m", "p", "s", {"nhev": 0}, Counts()) == []


def test_the_one_that_is_furthest_off_comes_first():
    near, far, silent = (Entry("m", "p", "s", "nhev", reported, 10) for reported in (9, 2, None))
    assert miscounted([near, far, silent]) == {"m": [silent, far, near]}
    words = audit_summary([near, far, Entry("n", "p", "s", "nfev", 3, 3)])
    assert words.startswith("3 counters were compared")
    assert "All are right for n." in words
    assert "2 of 2 are wrong for m; the worst: m on p reports nhev = 2 for 10 calls." in words


def test_runs_that_report_nothing_are_not_audited(himmelblau_run):
    from dataclasses import replace

    assert audit([himmelblau_run]) != []
    assert audit([replace(himmelblau_run, reported={})]) == []


def test_scipys_counters_on_the_chained_rosenbrock_function():
    """Seven of fifteen ways to call it miscount; nhev of trust-constr misses nine products in ten."""
    found = audit_scipy(problems.get("rosenbrock", n=4))
    wrong = miscounted(found)
    assert set(wrong) <= KNOWN_WRONG
    assert len({entry.method for entry in found}) == 15
    for method, those in wrong.items():
        assert "calls" in those[0].sentence
        if method != "scipy:TNC":
            assert {entry.counter for entry in those} == {"nhev"}
    assert all(entry.called > 0 for entry in found)
    if "scipy:trust-constr with hessp" in wrong:
        (entry,) = wrong["scipy:trust-constr with hessp"]
        assert entry.called > 10 * entry.reported
