"""The decision to end as a table: a claim and a record of measured numbers give a Termination, or None to continue."""

import numpy as np
import pytest

from newtonkit.classification.verdict import Verdict
from newtonkit.core.termination import Termination, TerminationReason
from newtonkit.derivatives.taylor_test import SlopeCheck
from newtonkit.driver.convergence import Evidence, Refusal, decide
from newtonkit.driver.value_checks import DescentProbe, ProbeResult

R = TerminationReason
GTOL = 1e-5


def verdict(kind="minimum", **fields):
    values = {"index": 0, "nullity": 0, "gradient_norm": 1e-6, "newton_step": 1e-6, "decrease": 1e-12} | fields
    return Verdict(kind, f"the reason for {kind}", **values)


def evidence(**fields):
    values = {
        "gtol": GTOL,
        "f": 1.0,
        "f_start": 101.0,
        "f_best": 1.0,
        "gradient_norm": 1e-6,
        "gradient_norm_start": 10.0,
        "x_norm": 1.0,
        "travelled": 2.0,
        "product_error": 2e-15,
        "verdict": verdict(),
    }
    return Evidence(**(values | fields))


def claim(reason, measured=1e-6, limit=GTOL, detail=""):
    return Termination(reason, measured, limit, detail)


GRADIENT, STALLED, PRECISION = claim(R.GRADIENT), claim(R.STALLED), claim(R.PRECISION)
LINE_SEARCH, RADIUS = claim(R.LINE_SEARCH, detail="slope -1"), claim(R.RADIUS, detail="a short step")
ITERATIONS, EVALUATIONS, TIME = claim(R.ITERATIONS), claim(R.EVALUATIONS), claim(R.TIME)
LOWER, NO_PROGRESS = claim(R.NOT_CRITICAL, detail="a lower point"), claim(R.NO_PROGRESS)
PLAIN = [claim(reason) for reason in (R.TARGET, R.UNBOUNDED, R.NON_FINITE, R.CALLBACK, R.EXCEPTION)]

LEFT = verdict(decrease=1.0, newton_step=1.0)  # a worthwhile reduction is left
SADDLE = verdict("saddle", index=1, escape_direction=np.array([1.0]))
MAXIMUM = verdict("maximum", index=2)
FAR = verdict("not critical", contraction=np.inf, newton_step=0.5)  # Newton's steps may be shrinking
FAR_REGULAR = verdict("not critical", contraction=0.0)
UNDECIDED = verdict("undecided", nullity=1)
NEGATIVE = verdict("undecided", index=1)
UNCHECKED = verdict("unchecked", index=None, nullity=None)
ROUNDED = verdict(gradient_norm=1e-3, decrease=1e-18)  # above gtol, but below the rounding of f
SHORT = verdict(gradient_norm=1e-3, decrease=1e-3, newton_step=1e-10)  # the step is short, the reduction is not
ROUNDED_UNDECIDED = verdict("undecided", nullity=1, gradient_norm=1e-3, decrease=1e-18)
SHORT_UNDECIDED = verdict("undecided", nullity=1, gradient_norm=1e-3, decrease=1e-3, newton_step=1e-10)
TO_ZERO = verdict(gradient_norm=1e-3, decrease=1e-31, newton_step=1e-9)
FALLS = ProbeResult(DescentProbe(np.array([1.0]), 1.0, 0.1))
FLAT = ProbeResult(None, True, 0.1)
DEGENERATE = verdict("degenerate saddle", nullity=1)
ENDLESS = verdict("not critical", nullity=1)
DONE = Evidence(f=1.0, f_start=101.0, plain_value=1.0)  # at the point to be returned


def done(**fields):
    return Evidence(**({"f": 1.0, "f_start": 101.0, "plain_value": 1.0} | fields))


RIGHT = SlopeCheck("-g", -1.0, -1.0, 1e-9, -1.0, -1.0, 1.0, False)
WRONG = SlopeCheck("-g", -1.0, 2.0, 1e-9, 2.0, 2.0, 1.0, False)
KINK = SlopeCheck("-g", -1.0, 0.0, 1.0, -1.0, 1.0, 1.0, True)

TABLE = [
    # claims of convergence
    ("gradient small, nothing left", GRADIENT, evidence(), R.GRADIENT),
    ("a worthwhile reduction is left", GRADIENT, evidence(verdict=LEFT), None),
    ("the first claim above the best point", GRADIENT, evidence(f_best=0.9, verdict=None), None),
    ("a later claim above the best point", GRADIENT, evidence(f_best=0.9, refusal=Refusal(1e-4)), R.GRADIENT),
    ("no budget to verify, small reduction of the gradient", GRADIENT, evidence(verdict=UNCHECKED), None),
    ("no budget to verify, large reduction", GRADIENT, evidence(verdict=UNCHECKED, gradient_norm=1e-8), R.GRADIENT),
    ("checks are turned off", GRADIENT, evidence(verdict=UNCHECKED, checks_enabled=False), R.GRADIENT),
    ("the point is a saddle", GRADIENT, evidence(verdict=SADDLE), R.SADDLE),
    ("the point is a maximum", GRADIENT, evidence(verdict=MAXIMUM), R.SADDLE),
    ("negative curvature at a point that is undecided", GRADIENT, evidence(verdict=NEGATIVE), None),
    (
        "gradient zero, Hessian not finite",
        GRADIENT,
        evidence(gradient_norm=0.0, verdict=verdict(decrease=np.nan)),
        R.GRADIENT,
    ),
    ("not critical, steps may shrink", GRADIENT, evidence(verdict=FAR), None),
    ("not critical, steps do not shrink", GRADIENT, evidence(verdict=FAR, refusal=Refusal(1e-4, 0.5)), R.NOT_CRITICAL),
    ("not critical, steps shrink", GRADIENT, evidence(verdict=FAR, refusal=Refusal(1e-4, 0.9)), None),
    (
        "not critical, products are rough",
        GRADIENT,
        evidence(verdict=FAR, refusal=Refusal(1e-4, 0.5), product_error=1e-7),
        None,
    ),
    ("not critical near a regular point", GRADIENT, evidence(verdict=FAR_REGULAR), None),
    ("undecided, no objection by values", GRADIENT, evidence(verdict=UNDECIDED), R.GRADIENT),
    ("f falls along a flat direction", GRADIENT, evidence(verdict=DEGENERATE, probe=FALLS), R.SADDLE),
    ("f falls there without end", GRADIENT, evidence(verdict=ENDLESS, probe=FALLS), R.NOT_CRITICAL),
    ("flat on all sides, reached from a minimum's side", GRADIENT, evidence(verdict=UNDECIDED, probe=FLAT), R.GRADIENT),
    (
        "flat on all sides, reached along a tail",
        GRADIENT,
        evidence(verdict=UNDECIDED, probe=FLAT, looks_unbounded=True),
        R.NOT_CRITICAL,
    ),
    ("values contradict the gradient", GRADIENT, evidence(gradient_inconsistency="the slope is 1"), R.NOT_CRITICAL),
    ("ftol or xtol is met", STALLED, evidence(verdict=LEFT), R.STALLED),
    ("ftol is met at a saddle", STALLED, evidence(verdict=SADDLE), R.SADDLE),
    ("ftol is met at a point that is not critical", STALLED, evidence(verdict=FAR), R.NOT_CRITICAL),
    # no gain over several steps
    ("precision suspected, rounding reached", PRECISION, evidence(verdict=ROUNDED), R.PRECISION),
    ("precision suspected, gradient small", PRECISION, evidence(), R.GRADIENT),
    ("precision suspected, reduction left", PRECISION, evidence(verdict=LEFT), None),
    ("precision suspected, not verified", PRECISION, evidence(verdict=UNCHECKED), None),
    ("precision suspected, saddle", PRECISION, evidence(verdict=SADDLE), R.SADDLE),
    ("no progress", NO_PROGRESS, evidence(verdict=LEFT), R.NO_PROGRESS),
    ("no progress, not verified", NO_PROGRESS, evidence(verdict=UNCHECKED), R.NO_PROGRESS),
    ("no progress at the limit of rounding", NO_PROGRESS, evidence(verdict=ROUNDED), R.PRECISION),
    # failures of a step
    ("no step, reduction left", LINE_SEARCH, evidence(verdict=LEFT), R.LINE_SEARCH),
    ("no step, gradient small", LINE_SEARCH, evidence(), R.GRADIENT),
    ("no step, rounding reached", LINE_SEARCH, evidence(verdict=ROUNDED), R.PRECISION),
    ("no step, Newton step short, gradient is rounding", RADIUS, evidence(verdict=SHORT), R.PRECISION),
    (
        "no step, Newton step short, gradient is not rounding",
        RADIUS,
        evidence(verdict=SHORT, gradient_is_rounding=False),
        R.RADIUS,
    ),
    ("no step, Newton step short in the certain directions alone", RADIUS, evidence(verdict=SHORT_UNDECIDED), R.RADIUS),
    (
        "no step, rounding reached, f falls where curvature is uncertain",
        RADIUS,
        evidence(verdict=ROUNDED_UNDECIDED, falls=True),
        R.RADIUS,
    ),
    ("the same, suspected", PRECISION, evidence(verdict=ROUNDED_UNDECIDED, falls=True), None),
    (
        "no step, rounding reached where curvature is uncertain",
        RADIUS,
        evidence(verdict=ROUNDED_UNDECIDED),
        R.PRECISION,
    ),
    ("no step, f falls steadily far out", RADIUS, evidence(verdict=LEFT, steady_fall=(-1.0, -2.0)), R.UNBOUNDED),
    ("limit, f falls steadily far out", ITERATIONS, evidence(verdict=LEFT, steady_fall=(-1.0, -2.0)), R.UNBOUNDED),
    ("no step, f and x tend to zero", RADIUS, evidence(f=0.0, x_norm=0.0, verdict=TO_ZERO), R.PRECISION),
    ("no step at a saddle", RADIUS, evidence(verdict=SADDLE), R.SADDLE),
    ("no step, not critical", RADIUS, evidence(verdict=FAR), R.RADIUS),
    ("no step, negative curvature", RADIUS, evidence(verdict=NEGATIVE), R.RADIUS),
    ("no step, f falls along a flat direction", RADIUS, evidence(verdict=DEGENERATE, probe=FALLS), R.SADDLE),
    ("no step, values contradict the gradient", RADIUS, evidence(gradient_inconsistency="slope 1"), R.NOT_CRITICAL),
    ("ascent direction, reduction left", claim(R.NOT_DESCENT), evidence(verdict=LEFT), R.NOT_DESCENT),
    ("singular Hessian, reduction left", claim(R.SINGULAR), evidence(verdict=LEFT), R.SINGULAR),
    ("singular Hessian, gradient small", claim(R.SINGULAR), evidence(), R.GRADIENT),
    # budgets
    ("iterations spent, converged by now", ITERATIONS, evidence(), R.GRADIENT),
    ("iterations spent, reduction left", ITERATIONS, evidence(verdict=LEFT), R.ITERATIONS),
    ("iterations spent, gradient large", ITERATIONS, evidence(verdict=None, gradient_norm=1.0), R.ITERATIONS),
    ("evaluations spent, saddle", EVALUATIONS, evidence(verdict=SADDLE), R.SADDLE),
    ("evaluations spent, no verdict", EVALUATIONS, evidence(verdict=UNCHECKED), R.EVALUATIONS),
    ("time spent", TIME, evidence(verdict=None), R.TIME),
    # a lower point is returned
    ("a lower point that is a minimum", LOWER, evidence(), R.GRADIENT),
    ("a lower point that is not critical", LOWER, evidence(verdict=LEFT), R.NOT_CRITICAL),
    # claims that need no evidence
    *[(f"{plain.reason.name} stands", plain, evidence(verdict=SADDLE), plain.reason) for plain in PLAIN],
    # the last decision, at the point to be returned
    ("reproducible minimum", GRADIENT, done(verdict=verdict()), R.GRADIENT),
    ("fun gives another value", GRADIENT, done(plain_value=1.1), R.INCONSISTENT),
    ("fun gives another value after a failure", RADIUS, done(plain_value=1.1), R.INCONSISTENT),
    ("fun gives NaN", GRADIENT, done(plain_value=np.nan), R.INCONSISTENT),
    ("rounding of a large start", GRADIENT, done(f=1e-9, f_start=1e8, plain_value=2e-9, verdict=verdict()), R.GRADIENT),
    ("nothing finite was seen", claim(R.NON_FINITE), done(f=np.nan, plain_value=np.nan), R.NON_FINITE),
    ("final verdict saddle", GRADIENT, done(verdict=SADDLE), R.SADDLE),
    ("final verdict not critical", STALLED, done(verdict=FAR), R.NOT_CRITICAL),
    ("final verdict ridge", PRECISION, done(verdict=verdict("ridge", index=1)), R.SADDLE),
    ("a target may be reached at a saddle", claim(R.TARGET), done(verdict=SADDLE), R.TARGET),
    ("a failure at a saddle stays a failure", RADIUS, done(verdict=SADDLE), R.RADIUS),
    ("a budget spent at a minimum", ITERATIONS, done(verdict=verdict()), R.ITERATIONS),
]


@pytest.mark.parametrize(("claim", "measured", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_claim_ends_the_run_with_this_reason(claim, measured, expected):
    termination = decide(claim, measured)
    assert (None if termination is None else termination.reason) is expected
    assert decide(claim, measured) == termination  # it stores nothing


def test_every_reason_of_minimize_has_a_row():
    elsewhere = {
        R.EPOCHS,
        R.PATIENCE,
        R.DIVERGED,
        R.UNMOVED,
        R.STEP,
        R.UNDETERMINED,
        R.NO_REDUCTION,
    }  # of train and of fitting
    assert {row[3] for row in TABLE} - {None} == set(R) - elsewhere


def test_the_termination_records_number_limit_and_detail():
    termination = decide(LINE_SEARCH, evidence(verdict=ROUNDED))
    assert (termination.measured, termination.limit) == (1e-3, GTOL)
    assert "below the rounding of f" in termination.detail


def test_a_failure_of_the_step_carries_the_diagnosis_of_the_gradient():
    termination = decide(LINE_SEARCH, evidence(verdict=LEFT, slope=WRONG))
    assert "the gradient looks wrong" in termination.detail


@pytest.mark.parametrize(("slope", "named"), [(KINK, "a kink"), (WRONG, "the gradient looks wrong"), (RIGHT, "1e+20")])
def test_no_progress_names_a_kink_or_a_wrong_gradient_before_the_units(slope, named):
    assert named in decide(NO_PROGRESS, evidence(verdict=LEFT, slope=slope, curvature_ratio=1e20)).detail


@pytest.mark.parametrize(("ratio", "named"), [(1e20, True), (10.0, False), (np.nan, False)])
def test_no_progress_names_the_ratio_of_the_curvatures(ratio, named):
    termination = decide(NO_PROGRESS, evidence(verdict=LEFT, curvature_ratio=ratio))
    assert ("differ by 1e+20" in termination.detail) is named


def test_a_refusal_remembers_the_gradient_and_a_newton_step_that_should_shrink():
    assert evidence(verdict=LEFT).next_refusal == Refusal(1e-6, np.inf)
    assert evidence(verdict=FAR).next_refusal == Refusal(1e-6, 0.5)
