"""Adapter of GALAHAD's TRU, ARC and TRB: the same derivatives and counters as for our methods, in a child process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from comparisons.core.trace import Trace
from comparisons.running.galahad_child import END, GRADIENT, HESSIAN, VALUE
from comparisons.running.recorder import Recorder
from comparisons.running.scipy_solvers import SolverResult
from newtonkit import Budget, Evaluator, Objective
from newtonkit.core.state import BudgetSpent
from problems import Problem

Vector = NDArray[np.float64]

SOLVERS = ("TRU", "ARC")
BOUNDED_SOLVERS = ("TRB",)
_INFINITE = 1e20  # a bound of this size is none: above GALAHAD's control parameter "infinity"
_CHILD = Path(__file__).with_name("galahad_child.py")
_SECONDS = 60.0  # a longer run hangs: a run that spends the whole budget takes about 3, measured

_ENVIRONMENT = {
    # without these two GALAHAD's parallel factorizations refuse to start
    "OMP_CANCELLATION": "TRUE",
    "OMP_PROC_BIND": "TRUE",
    "OMP_NUM_THREADS": "1",
    # it starts more threads than that, which wait for each other: 3.1 s instead of 0.25 for 117 gradients, measured
    "OMP_THREAD_LIMIT": "1",
    # the folder of the child contains this file, which must not be imported as the package galahad
    "PYTHONSAFEPATH": "1",
}


@cache
def missing(python: str = sys.executable) -> str:
    """Why GALAHAD cannot be run by this interpreter, as a sentence; empty if it can.

    Examples
    --------
    >>> missing("no-such-python")
    "GALAHAD is left out: there is no interpreter 'no-such-python'."
    """
    try:
        tried = subprocess.run(
            [python, "-c", "import galahad.tru, galahad.arc, galahad.trb"],
            capture_output=True,
            check=False,
            env=os.environ | _ENVIRONMENT,
        )
    except OSError:
        return f"GALAHAD is left out: there is no interpreter {python!r}."
    if tried.returncode:
        return (
            f"GALAHAD is left out: {python} cannot import it; pip install galahad-optrove there, or name the "
            "interpreter of an environment that has it with --galahad."
        )
    return ""


def solve(
    problem: Problem,
    x0: Vector,
    method: str,
    *,
    gtol: float,
    maxiter: int,
    budget: Budget,
    python: str = sys.executable,
    seconds: float = _SECONDS,
) -> SolverResult:
    """Run one of GALAHAD's solvers with dense exact Hessians and direct subproblems.

    Our Evaluator in this process computes every value; the solver runs in a child process, which is killed if it hangs,
    and whose crash ends one run only.

    Parameters
    ----------
    problem : Problem
    x0 : ndarray, shape (n,)
    method : str
        "TRU" (trust region) or "ARC" (cubic regularisation); "TRB" (trust region) for a problem with bounds.
    gtol : float
        Tolerance on the Euclidean norm of the gradient, with bounds of the projected gradient.
    maxiter : int
    budget : Budget
        Evaluations after which the run is stopped from outside.
    python : str, default this interpreter
        Interpreter of an environment in which GALAHAD is installed.
    seconds : float, default 60
        Until the child is killed.

    References
    ----------
    Gould, Orban & Toint (2003), ACM Trans. Math. Softw. 29, 353-372.
    """
    recorder = Recorder(problem)
    evaluator = Evaluator(Objective(problem.fun), budget, observer=recorder)
    command = [python, str(_CHILD), method, str(problem.n), repr(gtol), str(maxiter)]
    child = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | _ENVIRONMENT,
    )
    watch = threading.Timer(seconds, child.kill)
    watch.start()
    try:
        with np.errstate(all="ignore"):
            sent = [x0, *(() if problem.bounds is None else np.clip(problem.bounds.T, -_INFINITE, _INFINITE))]
            x, success, reason, message, nit = _conversation(child, evaluator, sent)
    finally:
        watch.cancel()
        child.kill()
        child.communicate()
    with np.errstate(all="ignore"):
        f, g = Evaluator(Objective(problem.fun)).value_and_grad(x)
    trace = Trace.empty(problem.n)
    return SolverResult(x, f, g, success, reason, message, nit, {}, evaluator, trace, recorder.outside)


def _conversation(
    child: subprocess.Popen[bytes], evaluator: Evaluator, sent: list[Vector]
) -> tuple[Vector, bool, str, str, int]:
    """Send the start, and the bounds if there are any; answer the child until it ends or the budget is spent.

    Returns x, success, reason, message, nit.
    """
    assert child.stdin is not None
    assert child.stdout is not None
    x0, n = sent[0], sent[0].size
    lower = np.tril_indices(n)
    try:
        for vector in sent:
            _send(child.stdin, vector)
        while (kind := child.stdout.read(1)) and kind != END:
            x = _received(child.stdout, n)
            if kind == VALUE:
                _send(child.stdin, np.array([evaluator.value(x)]))
            elif kind == GRADIENT:
                _send(child.stdin, evaluator.gradient(x))
            else:
                assert kind == HESSIAN
                _send(child.stdin, evaluator.hessian(x)[lower])
        if kind == END:
            numbers = _received(child.stdout, n + 2)
            status, nit = int(numbers[0]), int(numbers[1])
            return numbers[2:], status == 0, f"status {status}", f"GALAHAD's status {status}", nit
        raise EOFError
    except BudgetSpent as spent:
        ending = spent.termination.reason.name, spent.termination.message
    except (EOFError, OSError):
        ending = "CRASHED", "the solver's process ended without an answer, or was killed"
    return (x0 if evaluator.incumbent.x is None else evaluator.incumbent.x), False, *ending, 0


def _send(pipe: IO[bytes], numbers: Vector) -> None:
    pipe.write(np.ascontiguousarray(numbers).tobytes())
    pipe.flush()


def _received(pipe: IO[bytes], length: int) -> Vector:
    data = pipe.read(8 * length)
    if len(data) < 8 * length:
        raise EOFError
    return np.frombuffer(data).copy()
