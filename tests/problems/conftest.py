"""Every registered problem, and the families at other sizes, as one fixture."""

import pytest

import problems

OTHER_SIZES = [
    *(("rosenbrock", {"n": n}) for n in range(3, 11)),
    ("styblinski-tang", {"n": 3}),
    ("quadratic", {"n": 25, "condition": 1e4}),
    ("breast-cancer-logistic", {"l2": 0.1}),
    ("digits-softmax", {"l2": 0.1}),
]
# the collection at the dimensions that are not the defaults
OTHER_SIZES += [
    ("watson", {"n": 9}),
    ("watson", {"n": 12}),
    ("penalty-1", {"n": 4}),
    ("penalty-2", {"n": 4}),
    ("brown-almost-linear", {"n": 30}),
    ("chebyquad", {"n": 7}),
    ("chebyquad", {"n": 9}),
    ("chebyquad", {"n": 10}),
    ("badly-scaled-valley", {"exponent": -6}),
]
CASES = [(name, {}) for name in problems.names()] + OTHER_SIZES


def case_id(case):
    name, parameters = case
    return "-".join([name, *(f"{key}={value:g}" for key, value in parameters.items())])


@pytest.fixture(scope="session", params=CASES, ids=case_id)
def problem(request):
    name, parameters = request.param
    if name in problems.names("data"):
        pytest.importorskip("sklearn", reason=f"{name} is built on data from scikit-learn")
    return problems.get(name, **parameters)
