"""Every TerminationReason is reached on purpose, by a run that deserves it."""

import autograd.numpy as np
import numpy as onp
import pytest

import newtonkit
from newtonkit import TerminationReason
from newtonkit.core.termination import Termination


def bowl(x):
    return np.sum((x - 1.0) ** 2)


def saddle(x):
    return x[0] ** 2 - x[1] ** 2 + x[1] ** 4 / 4


def rounded(x):
    """A bowl so far from zero that its own rounding hides the last digits of x."""
    return 1e3 + np.exp(x[0] / 3) + np.exp(-x[0] * x[1] / 7) + (x[0] - 1 / 3) ** 2 + 10 * (x[1] - 1 / 3) ** 2


def minimize(fun=bowl, x0=(3.0, 2.0), method="newton", **options):
    return newtonkit.minimize(fun, onp.array(x0), method=method, options=options)


def wrong_sign(method):
    return newtonkit.minimize(lambda x: bowl(x) + 4.0, [3.0, 2.0], jac=lambda x: -2 * (x - 1.0), method=method)


def trained(rate=0.1, **options):
    rows = onp.linspace(-1.0, 1.0, 8)
    return newtonkit.train(
        lambda x, batch: np.mean((x[0] - batch) ** 2), [3.0], rows, "gd", epochs=20, options={"rate": rate}, **options
    )


calls = []


def changing(x):
    """No function: every call gives another value."""
    calls.append(x)
    return bowl(x) + len(calls)


def raising(x):
    if x[0] != 3.0:
        raise ZeroDivisionError("one over nothing")
    return bowl(x)


def two_units(x):
    """Curvatures of 1e40 and 1 in a curved valley."""
    u = 1e20 * x[0]
    return (u - x[1] ** 2) ** 2 + (x[1] - 1.0) ** 2


REACHED = {
    TerminationReason.GRADIENT: minimize,
    TerminationReason.PRECISION: lambda: minimize(rounded, gtol=0.0),
    TerminationReason.TARGET: lambda: minimize(method="gd", rate=0.1, target=0.5),
    TerminationReason.STALLED: lambda: minimize(method="gd", rate=0.1, gtol=0.0, ftol=1e-3),
    TerminationReason.ITERATIONS: lambda: minimize(method="gd", rate=0.01, maxiter=3),
    TerminationReason.EVALUATIONS: lambda: minimize(method="gd", rate=0.01, maxgev=3),
    TerminationReason.TIME: lambda: minimize(maxtime=1e-9),
    TerminationReason.CALLBACK: lambda: newtonkit.minimize(bowl, [3.0, 2.0], method="gd", callback=lambda x: True),
    TerminationReason.SADDLE: lambda: minimize(saddle, (1.0, 0.0), "newton-pure"),
    TerminationReason.NOT_CRITICAL: lambda: minimize(lambda x: np.sum(np.exp(-x))),
    TerminationReason.UNBOUNDED: lambda: minimize(np.sum),
    TerminationReason.INCONSISTENT: lambda: newtonkit.minimize(
        changing, [3.0, 2.0], jac=lambda x: 2 * (x - 1), method="bfgs"
    ),
    TerminationReason.NON_FINITE: lambda: minimize(method="gd", rate=10.0),
    TerminationReason.NOT_DESCENT: lambda: minimize(
        lambda x: np.maximum(x[0], 0.0) + 1e-200 * x[0], (1.0,), method="bfgs", gtol=0.0
    ),
    TerminationReason.LINE_SEARCH: lambda: wrong_sign("bfgs"),
    TerminationReason.RADIUS: lambda: wrong_sign("newton"),
    TerminationReason.SINGULAR: lambda: minimize(lambda x: x[0] ** 4 + x[1], (0.0, 1.0), "newton-pure"),
    TerminationReason.NO_PROGRESS: lambda: minimize(
        two_units, (4e-20, -3.0), newtonkit.LineSearchNewton(scaling="none")
    ),
    TerminationReason.STEP: lambda: newtonkit.least_squares(lambda x: x - 1.0, [3.0, 4.0]),
    TerminationReason.NO_REDUCTION: lambda: newtonkit.least_squares(lambda x: x**2 - 1.0, [1e-9], method="lm"),
    TerminationReason.UNDETERMINED: lambda: newtonkit.least_squares(lambda x: x[:1] + x[1:] - 1.0, [3.0, 4.0]),
    TerminationReason.EPOCHS: trained,
    TerminationReason.PATIENCE: lambda: trained(rate=1.0, patience=1),
    TerminationReason.DIVERGED: lambda: trained(rate=1.1),
    TerminationReason.UNMOVED: lambda: newtonkit.train(
        lambda x, batch: np.mean(batch**2), [3.0], onp.ones(8), "gd", epochs=2
    ),
}


@pytest.mark.parametrize("reason", list(REACHED), ids=lambda reason: reason.name)
def test_the_reason_is_reached(reason):
    result = REACHED[reason]()
    assert result.reason is reason, result
    assert result.success is (reason.kind is newtonkit.Kind.CONVERGED)
    assert (result.status == 0) is (reason.kind is newtonkit.Kind.CONVERGED)


def test_an_exception_is_a_reason_of_the_partial_result():
    with pytest.raises(ZeroDivisionError) as caught:
        minimize(raising)
    assert caught.value.partial_result.reason is TerminationReason.EXCEPTION
    assert "one over nothing" in caught.value.partial_result.message


def test_no_reason_is_left_out():
    assert set(TerminationReason) - set(REACHED) == {TerminationReason.EXCEPTION}


@pytest.mark.parametrize("reason", list(TerminationReason), ids=lambda reason: reason.name)
def test_every_message_is_filled_in(reason):
    message = Termination(reason, 1.5, 2.5, "some detail").message
    assert "{" not in message
    assert message[0].islower() or message[0] == "f"


def test_statuses_of_failures_differ():
    failures = [reason for reason in TerminationReason if reason.kind is not newtonkit.Kind.CONVERGED]
    assert len({reason.status for reason in failures}) == len(failures)
