"""Results and Objectives are pickled and copied; runs in several threads share an Objective; types of x0."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as onp
import pytest
import scipy.optimize

import newtonkit as nk


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def line(t, a, b):
    return a * t + b


START = [-1.2, 1.0]
COPIES = [lambda thing: pickle.loads(pickle.dumps(thing)), copy.deepcopy]


@pytest.mark.parametrize("copied", COPIES, ids=["pickle", "deepcopy"])
def test_results_and_states_are_copied(fast, copied):
    result = nk.minimize(rosenbrock, START, method=fast, options={"maxiter": 5})
    again = copied(result)
    assert (again.x == result.x).all()
    assert again.message == result.message
    assert (copied(result.state).x == result.state.x).all()


@pytest.mark.parametrize("copied", COPIES, ids=["pickle", "deepcopy"])
def test_objectives_and_fits_are_copied(copied):
    objective = nk.Objective(rosenbrock)
    x = onp.array(START)
    assert (copied(objective).gradient(x) == objective.gradient(x)).all()
    t = onp.linspace(0.0, 1.0, 6)
    fit = nk.curve_fit(line, t, 2.0 * t + 1.0 + 0.01 * onp.sin(40 * t))
    assert (copied(fit).popt == fit.popt).all()


def test_threads_share_a_function():
    alone = nk.minimize(rosenbrock, START, method="bfgs")
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: nk.minimize(rosenbrock, START, method="bfgs"), range(8)))
    assert all((result.x == alone.x).all() and result.nit == alone.nit for result in results)


@pytest.mark.parametrize("dtype", [onp.int64, onp.float32])
def test_x0_becomes_float64(dtype):
    result = nk.minimize(rosenbrock, onp.array([-1, 1], dtype=dtype))
    assert result.success
    assert result.x.dtype == onp.float64
    assert result.x == pytest.approx([1.0, 1.0])


def test_complex_x0_is_refused():
    with pytest.raises(TypeError, match="complex"):
        nk.minimize(rosenbrock, onp.array([1.0 + 1.0j, 2.0]))


def test_global_optimizers_of_scipy_accept_the_methods():
    hopping = scipy.optimize.basinhopping(rosenbrock, START, niter=3, rng=0, minimizer_kwargs={"method": nk.BFGS()})
    assert hopping.x == pytest.approx([1.0, 1.0], abs=1e-3)
    annealing = scipy.optimize.dual_annealing(
        rosenbrock, [(-2.0, 2.0)] * 2, maxiter=5, rng=0, minimizer_kwargs={"method": nk.LBFGS()}
    )
    assert annealing.x == pytest.approx([1.0, 1.0], abs=1e-3)
