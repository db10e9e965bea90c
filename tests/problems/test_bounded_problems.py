"""The facts that the catalogue states about problems with bounds are true."""

import numpy as np
import pytest
from autograd import grad, hessian

import newtonkit
import problems
from newtonkit.core.domain import Box
from newtonkit.enumeration.enclosures import Jets
from newtonkit.enumeration.face_jets import FaceJets, multipliers_over
from newtonkit.enumeration.krawczyk import Boxes, certify_near, proved_index
from problems.bounded.bounded_problem import ALL_CERTIFIED, CERTIFIED
from problems.bounded.kkt_tables import COMPLETE, KKT_POINTS

EPS = np.finfo(float).eps
NAMES = problems.names("bounded")
# f at the solution, as published: Gay (1984), twice his ½Σr²; Hock & Schittkowski (1981); Dixon & Szegö (1978)
PUBLISHED = {
    "rosenbrock-bounded": 0.25,
    "freudenstein-roth-bounded": 2 * 24.492601,
    "jennrich-sampson-bounded": 2 * 62.191556458188948,
    "helical-valley-bounded": 2 * 0.49521106048069985,
    "bard-bounded": 2 * 0.00479114236,
    "box-3d-bounded": 2 * 0.00005717409,
    "powell-singular-bounded": 2 * 0.000093909815,
    "kowalik-osborne-bounded": 2 * 0.000153915361732099,
    "brown-dennis-bounded": 2 * 44430.239883750226,
    "osborne-1-bounded": 2 * 0.000027351416716868,
    "watson-bounded": 2 * 0.001144803219124709,
    "brown-almost-linear-bounded": 2 * 0.003046589288298371,
    "chebyquad-bounded": 2 * 0.001796121192987531,
    "hs1": 0.0,
    "hs2": 0.0504261879,
    "hs3": 0.0,
    "hs4": 8 / 3,
    "hs5": -np.sqrt(3) / 2 - np.pi / 3,
    "hs25": 0.0,
    "hs38": 0.0,
    "hs45": 1.0,
    "hs110": -45.77846971,
    "adjiman": -2.02181,
    "branin-box": 0.397887,
    "hartmann-3": -3.86278,
}


@pytest.fixture(params=NAMES)
def problem(request):
    return problems.get(request.param)


def placed():
    """Every point with coordinates, and the representatives of chebyquad's."""
    for name in NAMES:
        problem = problems.get(name)
        if name in KKT_POINTS:
            rows = [(kind, index, f, np.array(x)) for kind, index, f, x in KKT_POINTS[name]]
        else:
            rows = [(point.kind, point.index, point.f, point.x) for point in problem.points if point.x is not None]
        for k, row in enumerate(rows):
            yield pytest.param(problem, *row, id=f"{name}-{k}")


def test_there_are_at_least_25_and_they_are_listed_on_request_only():
    assert len(NAMES) >= 25
    assert not set(NAMES) & set(problems.names())
    assert set(KKT_POINTS) <= set(NAMES)


def test_every_problem_has_bounds_a_source_and_a_minimum(problem):
    assert problem.bounds.shape == (problem.n, 2)
    assert not problem.bounds.flags.writeable
    assert np.isfinite(problem.bounds).any()
    assert problem.references
    assert problem.formula
    assert problem.best is not None


def test_every_start_is_inside_and_not_critical(problem):
    for x in problem.starts.values():
        box = Box(*problem.bounds.T)
        assert box.contains(x)
        assert np.isfinite(problem.fun(np.array(x)))
        assert box.criticality(x, grad(problem.fun)(np.array(x))) > 1e-12


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_the_lowest_value_is_the_published_one(name):
    assert abs(problems.get(name).best.f - PUBLISHED[name]) <= 2e-6 * max(
        1e-3, abs(PUBLISHED[name])
    )  # digits published


@pytest.mark.parametrize(("problem", "kind", "index", "f", "x"), list(placed()))
def test_every_point_has_the_stated_value_and_kind(problem, kind, index, f, x):
    assert abs(problem.fun(np.array(x)) - f) <= 1e-10 * max(1.0, abs(f))
    g, H = grad(problem.fun)(np.array(x)), hessian(problem.fun)(np.array(x))
    scale = np.abs(np.linalg.eigvalsh(H)).max() * max(1.0, np.linalg.norm(x))
    assert Box(*problem.bounds.T).criticality(x, g) <= 10 * problem.n * EPS * scale
    verdict = newtonkit.classify(problem.fun, np.array(x), bounds=problem.bounds)
    accepted = {kind, "undecided"} if kind.startswith("degenerate") else {kind}
    assert verdict.kind in accepted, str(verdict)
    assert verdict.index == index


@pytest.mark.parametrize(("problem", "kind", "index", "f", "x"), list(placed()))
def test_points_are_certified_on_their_face(problem, kind, index, f, x):
    if problem.points[0].verified not in (CERTIFIED, ALL_CERTIFIED):
        pytest.skip("verified otherwise, as stated")
    lower, upper = problem.bounds.T
    sides = np.where(x == lower, -1, np.where(x == upper, 1, 0))
    jets, free = Jets(problem.fun, np.ones(problem.n)), sides == 0
    boxes = Boxes(x[None], x[None])
    if free.any():
        face = FaceJets(jets, lower, upper, sides)
        boxes, _, proved = certify_near(face, x[free][None], np.maximum(np.abs(x[free]), 1.0))
        assert proved.all()
        assert proved_index(face, boxes)[0] == index
        assert np.abs(0.5 * (boxes.lo + boxes.hi)[0] - x[free]).max() <= 1e-10 * max(1.0, np.abs(x).max())
        boxes = face.embed(boxes)
    lowest, _ = multipliers_over(jets, boxes, sides)
    assert (lowest[0][~free] > 0.0).all()


@pytest.mark.parametrize("name", sorted(COMPLETE))
def test_complete_lists_are_complete(name):
    problem = problems.get(name)
    found = newtonkit.find_critical_points(problem.fun, problem.bounds, faces=True)
    assert found.complete
    assert found.audit.found == 1
    assert len(found) == len(problem.points)
    for point in problem.points:
        assert min(np.abs(point.x - other.x).max() for other in found) < 1e-9


@pytest.mark.parametrize("name", ["elastic-plastic-torsion", "obstacle", "journal-bearing"])
def test_minimal_values_of_quadratics_are_bracketed_by_strong_convexity(name):
    """f(y) ≥ f(x) + gᵀt + ½μtᵀt for t = y − x; the minimum over the box is separable."""
    problem = problems.get(name)
    lower, upper = problem.bounds.T
    result = newtonkit.minimize(
        problem.fun, problem.starts["standard"], method="newton", bounds=problem.bounds, options={"gtol": 1e-12}
    )
    mu = np.linalg.eigvalsh(hessian(problem.fun)(np.zeros(problem.n)))[0]
    assert mu > 0.0
    g = grad(problem.fun)(result.x)
    t = np.clip(-g / mu, lower - result.x, upper - result.x)
    gap = -np.sum(g * t + 0.5 * mu * t * t)
    assert 0.0 <= gap <= 1e-12
    assert abs(problem.best.f - result.fun) <= 1e-11


@pytest.mark.parametrize("seed", range(3))
def test_the_solution_of_the_random_quadratic_is_known_by_construction(seed):
    problem = problems.get("more-toraldo-quadratic", n=12, seed=seed, degeneracy=3.0)
    (point,) = problem.points
    H, g = hessian(problem.fun)(np.zeros(12)), grad(problem.fun)(np.array(point.x))
    eigenvalues = np.linalg.eigvalsh(H)
    assert abs(eigenvalues[0] - 1.0) < 1e-9
    assert abs(eigenvalues[-1] - 1e3) < 1e-6
    at = np.abs(point.x) == 1.0
    assert at.sum() == 6
    assert np.abs(g[~at]).max() < 1e-10
    assert (-g * point.x)[at].min() >= 1e-3 - 1e-10


def test_the_second_minimum_of_hs2_is_a_root_of_the_cubic_on_the_bound():
    """∂f/∂x₁ = 400x₁³ − 598x₁ − 2 on x₂ = 1.5; the outer roots are minima on the face."""
    roots = np.sort(np.roots([400.0, 0.0, -598.0, -2.0]).real)
    x = sorted(point.x[0] for point in problems.get("hs2").minima)
    assert np.allclose(x, roots[[0, 2]], rtol=1e-12)


def test_newton_reaches_a_listed_point_or_a_local_minimum(problem):
    x0 = problem.starts.get("near", problem.starts["standard"])
    result = newtonkit.minimize(problem.fun, x0, method="newton", bounds=problem.bounds)
    assert result.success, result.message
    assert result.verdict.kind == "minimum" or problem.best.degenerate, str(result.verdict)
    assert result.fun >= problem.best.f - 1e-8 * max(1.0, abs(problem.best.f))


def test_points_and_starts_outside_the_bounds_are_refused():
    facts = {"fun": lambda x: x[0] ** 2, "n": 1, "starts": {"standard": [3.0]}}
    with pytest.raises(ValueError, match="within the bounds"):
        problems.Problem(**facts, bounds=[[0.0, 1.0]])
    with pytest.raises(ValueError, match="lower < upper"):
        problems.Problem(**facts, bounds=[[1.0, 0.0]])
    with pytest.raises(ValueError, match=r"shape \(1, 2\)"):
        problems.Problem(**facts, bounds=[0.0, 1.0])
