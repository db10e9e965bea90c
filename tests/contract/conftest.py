"""Every registered method, configured so that it solves the easy problems of these tests."""

import pytest

from newtonkit.methods.registry import METHODS, make_method

# rates for functions with curvatures between 1 and 20
RATES = {
    "gd": 0.05,
    "momentum": 0.01,
    "nesterov": 0.01,
    "adagrad": 0.5,
    "rmsprop": 0.01,
    "adadelta": 1.0,
    "adam": 0.05,
    "adamw": 0.05,
    "nadam": 0.05,
}
SECOND_ORDER = ("newton", "newton-cg", "cubic", "newton-linesearch", "bfgs", "dfp", "sr1", "lbfgs", "cg")
GUARDED = (*SECOND_ORDER, "gd-linesearch")


def configured(name):
    """The method of this name, with a rate that suits."""
    return make_method(name, **({"rate": RATES[name]} if name in RATES else {}))


@pytest.fixture(params=list(METHODS))
def method(request):
    """Each method in turn."""
    return configured(request.param)


@pytest.fixture(params=GUARDED)
def guarded(request):
    """Each method that controls the length of its steps."""
    return configured(request.param)


@pytest.fixture(params=SECOND_ORDER)
def fast(request):
    """Each second-order or quasi-Newton method with control of its steps."""
    return configured(request.param)
