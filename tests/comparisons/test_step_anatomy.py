"""The steps that are drawn are those of the theory."""

import autograd.numpy as anp
import numpy as np
import pytest

import newtonkit
import problems
from comparisons.plots.step_anatomy import step_anatomy
from comparisons.plots.step_anatomy_plots import anatomy, anatomy_caption, anatomy_figure
from comparisons.plots.style import svg_text

POINTS = [("himmelblau", (0.3, 1.2), 1.5), ("rosenbrock", (-1.2, 1.0), 0.6), ("rosenbrock", (-1.2, 1.0), 0.3)]
POINTS += [("beale", (1.0, 1.0), 0.5), ("three-hump-camel", (2.5, 2.5), 3.0), ("strict-saddle", (0.0, 0.0), 1.0)]


def ellipse(x):
    """Newton's step from anywhere leads to 0."""
    return x[0] ** 2 + 10 * x[1] ** 2


def model(found, p):
    return found.f + found.g @ p + 0.5 * p @ found.H @ p


@pytest.fixture(params=POINTS, ids=lambda case: f"{case[0]} within {case[2]}")
def case(request):
    name, x, radius = request.param
    problem = problems.get(name)
    return problem, step_anatomy(problem.fun, x, radius)


class TestSteps:
    def test_no_point_of_the_circle_is_lower_on_the_model_than_the_step(self, case):
        _, found = case
        angle = np.linspace(0, 2 * np.pi, 721)
        around = np.column_stack([np.cos(angle), np.sin(angle)])
        for part in (0.25, 0.5, 0.75, 1.0):
            heights = [model(found, part * found.radius * p) for p in around]
            assert min(heights) >= model(found, found.step) - 1e-10 * found.predicted
        assert np.linalg.norm(found.step) <= (1 + 1e-9) * found.radius

    def test_what_is_predicted_and_what_is_kept_are_differences_of_values(self, case):
        problem, found = case
        assert found.predicted == pytest.approx(found.f - model(found, found.step))
        assert found.actual == pytest.approx(found.f - problem.fun(found.x + found.step))
        assert found.ratio == found.actual / found.predicted

    def test_the_cauchy_point_is_the_lowest_along_the_gradient(self, case):
        _, found = case
        size = np.linalg.norm(found.g)
        if size == 0.0:
            assert not found.steepest.any()
            return
        lengths = np.linspace(0, found.radius, 1001)
        heights = [model(found, -t * found.g / size) for t in lengths]
        assert model(found, found.steepest) <= min(heights) + 1e-12 * abs(found.f)
        assert np.linalg.norm(found.steepest) <= (1 + 1e-9) * found.radius

    def test_the_newton_step_is_where_the_model_has_no_slope(self, case):
        _, found = case
        np.testing.assert_allclose(found.g + found.H @ found.newton, 0, atol=1e-9 * (1 + np.abs(found.g).max()))

    def test_negative_curvature_is_drawn_where_there_is_some_and_leads_downhill(self, case):
        _, found = case
        lowest = np.linalg.eigvalsh(found.H)[0]
        assert (found.curvature is not None) == (lowest < 0)
        if found.curvature is not None:
            assert found.curvature @ found.H @ found.curvature == pytest.approx(lowest * found.radius**2)
            assert found.g @ found.curvature <= 0

    def test_the_dogleg_bends_at_the_cauchy_point_and_ends_at_the_radius_or_at_newtons_step(self, case):
        _, found = case
        if found.dogleg is None:
            assert found.eigenvalues[0] <= 0
            return
        end = np.linalg.norm(found.dogleg[-1])
        assert end == pytest.approx(min(found.radius, np.linalg.norm(found.newton)))
        if len(found.dogleg) > 2:
            np.testing.assert_allclose(found.dogleg[1], found.steepest)
            heights = [model(found, p) for p in found.dogleg]
            assert heights[0] > heights[1] > heights[2] >= model(found, found.step) - 1e-10 * found.predicted

    def test_it_is_the_step_that_the_method_takes(self):
        problem = problems.get("himmelblau")
        states = newtonkit.iterate(newtonkit.TrustRegionNewton(initial_radius=0.7), problem.fun, [0.3, 1.2])
        start, after = next(states), next(states)
        found = step_anatomy(problem.fun, start.x, 0.7)
        np.testing.assert_allclose(after.x - start.x, found.step, rtol=1e-12)
        assert after.info.ratio == pytest.approx(found.ratio)

    @pytest.mark.parametrize(
        ("x", "radius", "message"),
        [
            ([1.0], 1.0, r"shape \(2,\)"),
            ([1.0, 2.0], 0.0, "radius"),
            ([1.0, 2.0], -1.0, "radius"),
            ([np.inf, 0.0], 1.0, "finite"),
            ([0.0, 0.0], 1.0, "without negative curvature"),
        ],
    )
    def test_mistakes_are_named(self, x, radius, message):
        with pytest.raises(ValueError, match=message):
            step_anatomy(ellipse, x, radius)

    def test_problems_that_cannot_be_drawn_are_named(self):
        with pytest.raises(ValueError, match="wood has 4"):
            anatomy_figure(problems.get("wood"))
        with pytest.raises(ValueError, match="no start 'there'; it has standard"):
            anatomy_figure(problems.get("beale"), "there")


class TestFigure:
    def test_every_case_can_be_drawn_and_names_only_what_is_there(self, case):
        problem, found = case
        figure = anatomy(problem.fun, found)
        svg_text(figure)
        labels = {text.get_text() for text in figure.legends[0].get_texts()}
        assert ("negative curvature" in labels) == (found.curvature is not None)
        assert ("steepest descent (Cauchy)" in labels) == bool(found.g.any())
        assert ("the step taken, Newton's" in labels) == found.takes_newton

    def test_a_step_that_leaves_the_window_is_cut_and_its_length_is_told(self):
        figure, _ = anatomy_figure(problems.get("himmelblau"), [0.3, 1.2], 1.5)
        assert "to a length of 7.64" in [text.get_text() for text in figure.axes[0].texts]

    def test_beyond_a_wall_of_nan_nothing_is_drawn(self):
        """√(1 − x) is no number beyond 1, where this model leads."""

        def fun(x):
            return anp.sqrt(1.0 - x[0]) + x[1] ** 2

        found = step_anatomy(fun, [0.5, 1.0], 2.0)
        assert not np.isfinite(found.actual)
        svg_text(anatomy(fun, found))
        assert "f is not finite: the step is rejected and the radius shrinks" in anatomy_caption(found)


class TestCaption:
    def test_it_tells_a_newton_step_that_is_taken_from_one_that_is_too_long(self):
        assert "is inside the region and is taken" in anatomy_caption(step_anatomy(ellipse, [2.0, 1.0], 9.0))
        assert "2.24 long and leaves the region" in anatomy_caption(step_anatomy(ellipse, [2.0, 1.0], 0.5))

    def test_a_quadratic_keeps_exactly_what_its_model_promises(self):
        caption = anatomy_caption(step_anatomy(ellipse, [2.0, 1.0], 9.0))
        assert "predicted reduction is 14; f falls by 14, a ratio of 1: the step is accepted." in caption

    def test_a_step_that_climbs_is_rejected(self):
        problem = problems.get("six-hump-camel")
        found = step_anatomy(problem.fun, [0.6, 0.1], 4.0)
        assert found.actual < 0
        assert "f rises by" in anatomy_caption(found)
        assert "the step is rejected and the radius shrinks." in anatomy_caption(found)

    def test_a_newton_step_to_a_saddle_is_called_so(self):
        caption = anatomy_caption(step_anatomy(problems.get("beale").fun, [1.0, 1.0], 0.5))
        assert "The Newton step goes to the saddle of the model" in caption
        assert "The gradient is zero" in anatomy_caption(step_anatomy(problems.get("strict-saddle").fun, [0.0, 0.0]))
