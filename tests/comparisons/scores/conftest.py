"""Tables and runs made by hand, whose scores are known without computing them."""

from dataclasses import replace

import numpy as np
import pytest

import problems
from comparisons.core.prices import Instance
from comparisons.core.trace import Evaluations, Trace
from comparisons.running.runner import Protocol, run_one

QUICK = Protocol(gradients=60)
METHODS = ("newton", "newton-cg", "bfgs", "lbfgs", "scipy:BFGS", "scipy:L-BFGS-B", "scipy:Newton-CG")
PROBLEMS = ("himmelblau", "six-hump-camel")


@pytest.fixture(scope="session")
def real_runs():
    """Seven methods on two problems from all their starts."""
    return [
        run_one(problems.get(name), start, method, QUICK)
        for name in PROBLEMS
        for start in problems.get(name).starts
        for method in METHODS
    ]


@pytest.fixture(scope="session")
def himmelblau_run():
    return run_one(problems.get("himmelblau"), "standard", "newton", QUICK)


@pytest.fixture
def traced(himmelblau_run):
    """A run on Himmelblau's function with these rows: (kind, f, ‖g‖∞, distance, nearest known point, check)."""

    def make(*rows, f_start=100.0, **changes):
        kind, f, size, distance, nearest, check = (np.array(column) for column in zip(*rows, strict=True))
        count = np.arange(len(rows))
        evaluations = Evaluations(
            kind, f, size, distance, nearest.astype(np.int32), count * 1e-3, count.astype(np.int32), check
        )
        trace = Trace(2, evaluations, himmelblau_run.trace.iterations)
        return replace(himmelblau_run, f_start=f_start, trace=trace, **changes)

    return make


def instances(problems_and_starts):
    """As many instances as the numbers say: starts of each problem."""
    return tuple(
        Instance(f"problem {p}", f"start {s}", 2) for p, starts in enumerate(problems_and_starts) for s in range(starts)
    )
