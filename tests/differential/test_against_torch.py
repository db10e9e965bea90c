"""Every first-order rule compared with `torch.optim`, step by step, if PyTorch is installed.

Both receive the same gradients, computed by hand in numpy.
"""

import math

import numpy as np
import pytest

from newtonkit import AdaDelta, AdaGrad, Adam, AdamW, GradientDescent, Momentum, Nadam, Nesterov, RMSProp

torch = pytest.importorskip("torch")

STEPS = 200
START = np.array([1.7, -0.6, 0.9])


@pytest.fixture(autouse=True)
def _scalars_in_double():
    """PyTorch stores the scalars of its optimizers (the product of momenta of NAdam) in its default type."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def gradient(x):
    e = math.exp(0.3 * x[0] * x[1])
    own = 2 * np.sin(x) * np.cos(x) + 0.1 * x
    return own + np.array([0.3 * x[1] * e, 0.3 * x[0] * e, 0.4 * x[2] ** 3])


def points_of_torch(make):
    x = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))
    optimizer = make([x])
    for _ in range(STEPS):
        x.grad = torch.tensor(gradient(x.detach().numpy()))
        optimizer.step()
        yield x.detach().numpy().copy()


def points_of_newtonkit(rule):
    """The points where gradients are taken: for Nesterov's rule, PyTorch's variable is the look-ahead point."""
    x, state = START.copy(), rule.init(3)
    for _ in range(STEPS):
        offset = rule.lookahead(state)
        step, state = rule.update(gradient(x if offset is None else x + offset), state, x)
        x = x + step
        offset = rule.lookahead(state)
        yield x if offset is None else x + offset


CASES = {
    "gd": (GradientDescent(rate=0.1), lambda p: torch.optim.SGD(p, lr=0.1)),
    "momentum": (
        Momentum(rate=0.01, decay=0.9, form="second"),
        lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
    ),
    "nesterov": (
        Nesterov(rate=0.01, decay=0.9),
        lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True),
    ),
    "adagrad": (
        AdaGrad(rate=0.2, epsilon=1e-4, initial_accumulator=0.1),
        lambda p: torch.optim.Adagrad(p, lr=0.2, eps=1e-4, initial_accumulator_value=0.1),
    ),
    "rmsprop": (
        RMSProp(rate=0.01, decay=0.95, epsilon=1e-4),
        lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.95, eps=1e-4),
    ),
    "adadelta": (
        AdaDelta(rate=0.7, decay=0.9, epsilon=1e-4),
        lambda p: torch.optim.Adadelta(p, lr=0.7, rho=0.9, eps=1e-4),
    ),
    "adam": (Adam(rate=0.05), lambda p: torch.optim.Adam(p, lr=0.05)),
    "amsgrad": (
        Adam(rate=0.05, beta2=0.9, epsilon=1e-3, amsgrad=True),
        lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.9, 0.9), eps=1e-3, amsgrad=True),
    ),
    "adamw": (
        AdamW(rate=0.05, weight_decay=0.1),
        lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1),
    ),
    "nadam": (Nadam(rate=0.02, epsilon=1e-4), lambda p: torch.optim.NAdam(p, lr=0.02, eps=1e-4)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_rule_takes_the_steps_of_torch(case):
    """To 1e-12 over 200 steps; the order of multiplications differs."""
    rule, make = CASES[case]
    ours, theirs = np.array(list(points_of_newtonkit(rule))), np.array(list(points_of_torch(make)))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    assert np.linalg.norm(ours[-1] - START) > 0.1


def test_the_average_form_of_momentum_is_the_dampening_of_torch_after_the_first_step():
    """PyTorch does not dampen the first gradient; if that is zero, both are the same."""
    rule = Momentum(rate=0.1, decay=0.8, form="average")
    state = rule.init(3)
    x = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))
    optimizer = torch.optim.SGD([x], lr=0.1, momentum=0.8, dampening=0.8)
    for t in range(50):
        g = np.zeros(3) if t == 0 else gradient(x.detach().numpy())
        before = x.detach().numpy().copy()
        x.grad = torch.tensor(g)
        optimizer.step()
        step, state = rule.update(g, state, before)
        if t > 0:
            np.testing.assert_allclose(step, x.detach().numpy() - before, rtol=0, atol=1e-13)
