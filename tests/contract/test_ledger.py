"""The ledger counts before it allows, and never exceeds a budget."""

import time

import pytest

from newtonkit.core.counts import Budget, Counts
from newtonkit.core.state import BudgetSpent
from newtonkit.evaluation.ledger import Ledger


def charges_until_refused(ledger, **charge):
    done = 0
    while True:
        try:
            ledger.charge(**charge)
        except BudgetSpent:
            return done
        done += 1


@pytest.mark.parametrize(
    ("budget", "kind", "allowed"),
    [
        (Budget(maxfev=1), "f", 1),
        (Budget(maxfev=2), "f", 1),
        (Budget(maxfev=10), "f", 9),
        (Budget(maxfev=0), "f", 0),
        (Budget(maxgev=2), "g", 2),
        (Budget(maxgev=3), "g", 2),
        (Budget(maxhev=4), "H", 4),
        (Budget(maxhvp=5), "Hv", 5),
    ],
)
def test_a_charge_that_would_exceed_the_budget_is_refused(budget, kind, allowed):
    ledger = Ledger(budget)
    assert charges_until_refused(ledger, **{kind: 1}) == allowed
    assert getattr(ledger.counts, kind) == allowed


def test_a_refused_charge_counts_nothing():
    ledger = Ledger(Budget(maxgev=1))
    ledger.charge_value_and_gradient()
    with pytest.raises(BudgetSpent):
        ledger.charge_value_and_gradient()
    with pytest.raises(BudgetSpent):
        ledger.charge(f=1, g=1, H=1)
    assert ledger.counts == Counts(1, 1)


def test_the_reserved_evaluations_can_be_used_after_their_release():
    ledger = Ledger(Budget(maxfev=5, maxgev=4))
    assert charges_until_refused(ledger, f=1) == 4
    assert charges_until_refused(ledger, g=1) == 3
    assert not ledger.allows_f()
    assert not ledger.allows_g()
    ledger.release_f()
    ledger.release_g()
    assert ledger.allows_f()
    assert ledger.allows_g()
    assert not ledger.allows_f(2)


def test_checks_are_counted_apart_under_the_same_budget():
    ledger = Ledger(Budget(maxhev=3))
    ledger.charge(H=1)
    with ledger.checking():
        assert ledger.is_checking
        assert charges_until_refused(ledger, H=1) == 2
    assert not ledger.is_checking
    assert (ledger.counts.H, ledger.check_counts.H) == (1, 2)
    ledger.move_hessian_to_method()
    assert (ledger.counts.H, ledger.check_counts.H) == (2, 1)


def test_checking_ends_when_an_exception_leaves_it():
    ledger = Ledger()
    with pytest.raises(ZeroDivisionError), ledger.checking():
        raise ZeroDivisionError
    ledger.charge(f=1)
    assert (ledger.counts.f, ledger.check_counts.f) == (1, 0)


def test_a_resumed_ledger_continues_from_both_counts():
    ledger = Ledger(Budget(maxfev=10))
    ledger.resume(Counts(f=5), Counts(f=3))
    assert charges_until_refused(ledger, f=1) == 1
    assert ledger.counts.f == 6


def test_the_time_limit_refuses_every_charge():
    ledger = Ledger(Budget(maxtime=1e-3))
    time.sleep(2e-3)
    with pytest.raises(BudgetSpent, match="maxtime"):
        ledger.charge(Hv=1)


def test_without_a_budget_nothing_is_refused():
    ledger = Ledger()
    for _ in range(100):
        ledger.charge(f=1, g=1, H=1, Hv=1)
    assert ledger.counts == Counts(100, 100, 100, 100)
    assert ledger.allows_f(10**9)
