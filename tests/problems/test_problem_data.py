"""The problems on real data: the losses, their certified minima, and the behaviour without scikit-learn."""

import subprocess
import sys
from pathlib import Path

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, value_and_grad
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

import problems

NAMES = problems.names(["finite-sum", "convex"])
ROOT = Path(problems.__file__).parents[1]


@pytest.fixture
def datasets():
    return pytest.importorskip("sklearn.datasets", reason="the data come with scikit-learn")


def minimized(problem):
    """A Newton-CG run of scipy's from the standard start, to a gradient of 1e-6."""
    gradient = grad(problem.fun)
    product = grad(lambda x, v: anp.dot(gradient(x), v))
    run = minimize(
        value_and_grad(problem.fun),
        np.array(problem.starts["standard"]),
        jac=True,
        hessp=product,
        method="trust-ncg",
        options={"gtol": 1e-6},
    )
    return run.x, float(run.fun), float(np.linalg.norm(gradient(run.x)))


@pytest.mark.parametrize("name", NAMES)
def test_the_stated_minimum_lies_within_the_bound_of_strong_convexity(name, datasets):
    """f − ‖g‖²/(2 l2) <= f* <= f at any point; 1e-14 allows for rounding in f."""
    problem = problems.get(name)
    x, f, gradient_norm = minimized(problem)
    gap = gradient_norm**2 / (2 * problem.parameters["l2"])
    assert gap <= 0.5e-9
    assert f - gap - 1e-14 <= problem.best.f <= f + 1e-14
    assert problem.reached(x) is problem.best


@pytest.mark.parametrize("name", NAMES)
def test_another_regularisation_has_no_stated_minimum(name, datasets):
    problem = problems.get(name, l2=0.5)
    assert problem.points == ()
    assert not problem.complete


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("start", ["random", "far"])
def test_f_is_strongly_convex_with_modulus_l2(name, start, datasets):
    """(g(x) − g(y))ᵀ(x − y) >= l2 ‖x − y‖²."""
    problem = problems.get(name, l2=0.1)
    x = np.array(problem.starts[start])
    y = x + np.random.default_rng(7).standard_normal(problem.n)
    g = grad(problem.fun)
    assert (g(x) - g(y)) @ (x - y) >= 0.1 * np.linalg.norm(x - y) ** 2


@pytest.mark.parametrize("name", NAMES)
def test_huge_coefficients_do_not_overflow(name, datasets):
    problem = problems.get(name)
    x = 1e5 * problem.starts["random"]
    f, g = value_and_grad(problem.fun)(x)
    assert np.isfinite(f)
    assert np.isfinite(g).all()


@pytest.mark.parametrize(("name", "classes"), [("breast-cancer-logistic", 2), ("digits-softmax", 10)])
def test_at_zero_every_class_is_equally_likely(name, classes, datasets):
    problem = problems.get(name)
    assert problem.fun(np.zeros(problem.n)) == pytest.approx(np.log(classes), rel=1e-14)


def test_the_logistic_loss_is_the_mean_negative_log_likelihood(datasets):
    data = datasets.load_breast_cancer()
    features = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
    theta = 0.3 * np.random.default_rng(8).standard_normal(31)
    p = expit(features @ theta[:30] + theta[30])
    expected = -np.log(np.where(data.target == 1, p, 1 - p)).mean() + 0.5 * 0.01 * theta @ theta
    assert problems.get("breast-cancer-logistic", l2=0.01).fun(theta) == pytest.approx(expected, rel=1e-12)


def test_the_softmax_loss_is_the_mean_negative_log_likelihood(datasets):
    data = datasets.load_digits()
    theta = np.random.default_rng(9).standard_normal(650)
    blocks = theta.reshape(10, 65)
    scores = data.data / 16 @ blocks[:, :64].T + blocks[:, 64]
    likelihoods = log_softmax(scores, axis=1)[np.arange(1797), data.target]
    expected = -likelihoods.mean() + 0.5 * 0.01 * theta @ theta
    assert problems.get("digits-softmax", l2=0.01).fun(theta) == pytest.approx(expected, rel=1e-12)


def test_the_lowest_curvature_of_the_softmax_loss_is_l2_exactly(datasets):
    """A weight of a pixel that is blank in every image enters the regularisation only."""
    problem = problems.get("digits-softmax")
    blank = np.flatnonzero((datasets.load_digits().data == 0).all(axis=0))
    assert blank.size > 0
    v = np.zeros(650)
    v[blank[0]] = 1.0
    gradient = grad(problem.fun)
    product = grad(lambda x: anp.dot(gradient(x), v))(np.array(problem.starts["random"]))
    assert product == pytest.approx(1e-3 * v, abs=1e-18)


def run_python(code):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout


def test_listing_the_catalogue_does_not_import_scikit_learn():
    code = (
        "import sys, problems; problems.names('data'); problems.tags(); problems.summary('digits-softmax');"
        "print('sklearn' in sys.modules)"
    )
    assert run_python(code).strip() == "False"


def test_without_scikit_learn_a_data_problem_states_what_to_install():
    code = """
import sys
sys.modules["sklearn"] = None
import problems
assert len(problems.names()) > len(problems.names("data"))
problems.get("rosenbrock")
for name in problems.names("data"):
    try:
        problems.get(name)
    except ImportError as error:
        print(error)
"""
    message = 'these data come with scikit-learn: pip install "newtonkit[data]"'
    assert run_python(code).splitlines() == [message] * len(problems.names("data"))


def test_the_denoised_image_has_the_stated_value(datasets):
    """f is strongly convex with modulus 1: f* ≥ f − ‖g‖²/2 at any point."""
    problem = problems.get("image-denoising")
    _, f, gradient_norm = minimized(problem)
    assert f - gradient_norm**2 / 2 - 1e-12 <= problem.best.f <= f + 1e-12


@pytest.mark.parametrize("rank", [1, 3])
def test_no_run_on_the_factorization_ends_below_the_value_from_singular_values(rank, datasets):
    """And each ends there: all local minima have this value."""
    problem = problems.get("matrix-factorization", rank=rank)
    for x0 in problem.starts.values():
        f = float(minimize(value_and_grad(problem.fun), np.array(x0), jac=True, options={"gtol": 1e-6}).fun)
        assert f == pytest.approx(problem.best.f, rel=1e-11)


def test_the_likelihood_of_the_process_is_that_of_scipy():
    from scipy.stats import multivariate_normal

    from problems.nist.data_sets import data_set

    y = data_set("ENSO").y[:60]
    y = (y - y.mean()) / y.std()
    months = np.arange(1.0, 61.0)
    theta = np.array([0.5, -0.2, -0.6])
    length, height, noise = np.exp(2 * theta)
    K = height * np.exp(-0.5 * (months[:, None] - months) ** 2 / length) + (noise + 1e-8 * height) * np.eye(60)
    expected = -multivariate_normal(np.zeros(60), K).logpdf(y)
    assert problems.get("gaussian-process").fun(theta) == pytest.approx(expected, rel=1e-10)
