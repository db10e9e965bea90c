"""No derivative is evaluated twice at one point, and a Hessian is counted for whoever needs it."""

import numpy as np
import pytest
import scipy.sparse as sp

from newtonkit.core.counts import Counts
from newtonkit.derivatives.linearization import Linearization
from newtonkit.evaluation.cache import EvaluationCache
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.evaluation.ledger import Ledger
from newtonkit.objectives.objective import Objective

X, H = np.array([1.0, 2.0]), np.eye(2)


def test_points_are_compared_by_identity():
    cache = EvaluationCache(Ledger())
    cache.store_dense(X, H)
    assert cache.dense(X) is H
    assert cache.dense(X.copy()) is None
    assert cache.sparse(X) is None


def test_the_last_point_replaces_the_one_before():
    cache, y = EvaluationCache(Ledger()), X + 1.0
    linear = Linearization(0.0, X, lambda v: v, lambda V: V, lambda: H)
    cache.store_linearization(X, linear)
    assert cache.linearization(X) is linear
    cache.store_linearization(y, linear)
    assert cache.linearization(X) is None
    cache.forget_linearization()
    assert cache.linearization(y) is None


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_a_hessian_from_a_check_moves_once_when_the_method_requests_it(kind):
    ledger = Ledger()
    cache = EvaluationCache(ledger)
    matrix = H if kind == "dense" else sp.csc_array(H)
    with ledger.checking():
        ledger.charge(H=1)
        getattr(cache, f"store_{kind}")(X, matrix)
        assert not getattr(cache, f"claim_{kind}")()
    assert ledger.check_counts == Counts(H=1)
    assert getattr(cache, f"claim_{kind}")()
    assert not getattr(cache, f"claim_{kind}")()
    assert (ledger.counts, ledger.check_counts) == (Counts(H=1), Counts())


def test_forgetting_drops_everything():
    cache = EvaluationCache(Ledger())
    cache.store_dense(X, H)
    cache.store_sparse(X, sp.csc_array(H))
    cache.forget()
    assert cache.dense(X) is None
    assert cache.sparse(X) is None


@pytest.mark.parametrize("is_sparse", [False, True])
def test_the_users_hessian_is_called_once_at_a_point(is_sparse):
    calls = []

    def hess(x):
        calls.append(x)
        return sp.csc_array(H) if is_sparse else H

    reports = []
    evaluator = Evaluator(
        Objective(lambda x: 0.5 * x @ x, lambda x: x, hess),
        observer=lambda kind, x, f, g, check: reports.append((kind, check)),
    )
    with evaluator.checking():
        evaluator.sparse_hessian(X)
        evaluator.hessian(X)
    evaluator.hessian(X)
    evaluator.hvp(X)(X)
    assert len(calls) == 1
    assert (evaluator.counts.H, evaluator.check_counts.H) == (1, 0)
    assert reports == [("H", True), ("H", False)]
