"""Problems are found by name and tag; the error message for a wrong name or parameter gives the right one."""

import numpy as np
import pytest

import problems
from problems import registry

NAMES = {
    "beale",
    "booth",
    "bowl",
    "breast-cancer-logistic",
    "digits-softmax",
    "gaussian-process",
    "goldstein-price",
    "himmelblau",
    "image-denoising",
    "long-ellipse",
    "long-valley",
    "matrix-factorization",
    "matyas",
    "monkey-saddle",
    "powell-singular",
    "quadratic",
    "rosenbrock",
    "six-hump-camel",
    "strict-saddle",
    "styblinski-tang",
    "three-hump-camel",
    "wood",
}

MGH = {"beale", "powell-singular", "rosenbrock", "wood"}


@pytest.fixture
def own_registry(monkeypatch):
    """A copy of the registry that the test may add to."""
    monkeypatch.setattr(registry, "_entries", dict(registry._entries))


def parabola(*, n: int = 1):
    return problems.Problem(fun=lambda x: np.sum(x**2), n=n, starts={"standard": np.ones(n)})


def test_the_catalogue_contains_these_problems():
    assert set(problems.names()) - set(problems.names("benchmark")) == NAMES
    assert list(problems.names()) == sorted(problems.names())


def test_the_collection_of_more_garbow_and_hillstrom_is_complete():
    """35 problems, four of which are not for benchmarks alone."""
    assert len(problems.names("mgh")) == 35
    assert {name for name, _ in problems.MGH} == set(problems.names("mgh"))
    assert set(problems.names("mgh")) & NAMES == MGH


@pytest.mark.parametrize("name", ["six-hump-camel", "Six-Hump Camel", "SIX_HUMP_CAMEL", " six hump  camel "])
def test_case_spaces_and_underscores_do_not_matter(name):
    assert problems.get(name).name == "six-hump-camel"


def test_the_error_message_for_an_unknown_name_gives_the_nearest_one():
    with pytest.raises(ValueError, match=r"unknown problem 'rosenbrok'; did you mean 'rosenbrock'.*names\(\)"):
        problems.get("rosenbrok")
    with pytest.raises(ValueError, match="did you mean 'himmelblau'"):
        problems.summary("himelblau")


def test_the_error_message_for_an_unknown_parameter_gives_the_valid_ones():
    with pytest.raises(ValueError, match="quadratic has no parameter 'cond'; its parameters are: n, condition"):
        problems.get("quadratic", cond=10)
    with pytest.raises(ValueError, match="himmelblau has no parameter 'n'; its parameters are: none"):
        problems.get("himmelblau", n=3)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("rosenbrock", {"n": 1}, "n must be an integer >= 2, got 1"),
        ("rosenbrock", {"n": 2.0}, r"n must be an integer >= 2, got 2\.0"),
        ("rosenbrock", {"n": True}, "n must be an integer >= 2, got True"),
        ("styblinski-tang", {"n": 1}, "n must be an integer >= 2, got 1"),
        ("quadratic", {"n": "3"}, "n must be an integer >= 2, got '3'"),
        ("quadratic", {"condition": 0.5}, r"condition must be a finite number >= 1, got 0\.5"),
        ("quadratic", {"condition": np.nan}, "condition must be a finite number >= 1, got nan"),
        ("breast-cancer-logistic", {"l2": 0.0}, r"l2 must be a finite number > 0, got 0\.0"),
        ("digits-softmax", {"l2": None}, "l2 must be a finite number > 0, got None"),
    ],
)
def test_a_parameter_out_of_range_is_named_with_its_value_and_range(name, parameters, message):
    with pytest.raises(ValueError, match=message):
        problems.get(name, **parameters)


def test_a_problem_carries_its_parameters_with_the_defaults_filled_in():
    problem = problems.get("quadratic", n=np.int64(4))
    assert dict(problem.parameters) == {"n": 4, "condition": 100.0}
    assert type(problem.parameters["n"]) is int
    assert problem.label == "quadratic(n=4, condition=100)"
    assert problems.get("beale").label == "beale"


def test_several_tags_must_all_be_present():
    assert set(problems.names(["data", "finite-sum"])) == {"breast-cancer-logistic", "digits-softmax", "moons-network"}
    both = set(problems.names(["2d", "convex"]))
    assert both == set(problems.names("2d")) & set(problems.names("convex"))
    assert "bowl" in both
    assert "quadratic" not in both
    assert problems.names([]) == problems.names()


def test_the_error_message_for_an_unknown_tag_gives_the_valid_ones():
    with pytest.raises(ValueError, match=r"unknown tag 'smooth'; the tags are: 2d, .*valley"):
        problems.names("smooth")


def test_the_tags_in_a_listing_are_those_of_the_problem_at_its_defaults():
    for name in set(problems.names()) - set(problems.names("data")):
        for tag in problems.tags():
            assert (name in problems.names(tag)) == (tag in problems.get(name).tags), (name, tag)


def test_the_tags_of_a_family_follow_its_size():
    assert "2d" in problems.get("rosenbrock").tags
    assert "2d" not in problems.get("rosenbrock", n=4).tags
    assert "multimodal" in problems.get("rosenbrock", n=4).tags
    assert "2d" in problems.get("quadratic", n=2).tags


def test_every_problem_has_a_summary_of_one_line():
    for name in problems.names():
        assert 10 < len(problems.summary(name)) < 110
        assert "\n" not in problems.summary(name)


def test_a_registered_problem_is_found_with_its_name_parameters_and_tags(own_registry):
    problems.register("parabola", tags=("convex", "2d"), summary="the sum of squares")(parabola)
    problem = problems.get("Parabola", n=3)
    assert (problem.name, problem.n, dict(problem.parameters)) == ("parabola", 3, {"n": 3})
    assert problem.tags == {"convex"}
    assert "parabola" in problems.names("convex")


def test_a_name_is_registered_once(own_registry):
    with pytest.raises(ValueError, match="a problem named 'wood' is registered already"):
        problems.register("wood", tags=(), summary="")(parabola)
