"""The ribbons show the eigenvalues of the Hessian where the run really was."""

import math

import numpy as np
import pytest

import newtonkit
import problems
from comparisons.plots import eigenvalue_ribbon_plots as module
from comparisons.plots.eigenvalue_ribbon_plots import ribbon_figure, ribbons, ribbons_caption
from comparisons.plots.eigenvalue_ribbons import Ribbons, eigenvalue_ribbons
from comparisons.plots.style import svg_text


def run(fun, x0, method="newton", **options):
    return newtonkit.minimize(fun, x0, method=method, options={"history": "points"} | options)


def made(eigenvalues, gradient=None, iteration=None, method="bfgs"):
    """Ribbons with these rows of eigenvalues."""
    values = np.array(eigenvalues, dtype=float)
    rows = len(values)
    size = np.ones(rows) if gradient is None else np.array(gradient, dtype=float)
    return Ribbons(method, np.arange(rows) if iteration is None else np.array(iteration), values, size)


class TestEigenvalues:
    def test_those_of_a_quadratic_are_the_same_all_the_way(self):
        problem = problems.get("quadratic", n=6)
        found = eigenvalue_ribbons(problem.fun, run(problem.fun, problem.starts["standard"], "lbfgs").history)
        assert len(found.iteration) > 3
        exact = np.linalg.eigvalsh(newtonkit.hessian(problem.fun)(np.zeros(6)))
        np.testing.assert_allclose(found.eigenvalues, np.tile(exact, (len(found.iteration), 1)), rtol=1e-9)

    def test_each_row_belongs_to_its_iterate(self):
        """f = Σ xᵢ⁴ − xᵢ² has the eigenvalues 12 xᵢ² − 2."""

        def fun(x):
            return (x**4 - x**2).sum()

        history = run(fun, [0.1, 0.3, -2.0], "bfgs").history
        found = eigenvalue_ribbons(fun, history)
        exact = np.sort(12 * history.x**2 - 2, axis=1)
        np.testing.assert_allclose(found.eigenvalues, exact[found.iteration], rtol=1e-9, atol=1e-12)
        assert found.index[0] == 2
        assert found.index[-1] == 0

    def test_a_rejected_step_leaves_the_eigenvalues_as_they_were(self):
        problem = problems.get("wood")
        history = run(problem.fun, problem.starts["standard"]).history
        found = eigenvalue_ribbons(problem.fun, history)
        assert found.iteration.tolist() == history.nit.tolist()
        rejected = np.flatnonzero(~history.accepted)
        assert len(rejected)
        np.testing.assert_array_equal(found.eigenvalues[rejected], found.eigenvalues[rejected - 1])
        assert (np.diff(found.eigenvalues[history.accepted], axis=0) != 0).any(axis=1).all()

    def test_an_eigenvalue_that_is_zero_to_rounding_is_not_negative(self):
        found = made([[-1e-17, 1.0], [-1e-9, 1.0]])
        assert found.index.tolist() == [0, 1]

    def test_where_the_hessian_is_not_finite_there_is_no_row(self):
        history = run(lambda x: ((x - 1) ** 4).sum(), [3.0], "gd-linesearch").history

        def hess(x):
            return np.array([[math.nan if x[0] < 2.0 else 1.0]])

        found = eigenvalue_ribbons(lambda x: ((x - 1) ** 4).sum(), history, hess=hess)
        assert len(found.iteration) == (history.x[:, 0] >= 2.0).sum()
        with pytest.raises(ValueError, match="no Hessian along the run is finite"):
            eigenvalue_ribbons(lambda x: x[0], history, hess=lambda x: np.array([[math.nan]]))

    def test_a_run_that_kept_no_points_is_refused(self):
        history = newtonkit.minimize(lambda x: (x**2).sum(), [1.0]).history
        with pytest.raises(ValueError, match="history': 'points'"):
            eigenvalue_ribbons(lambda x: (x**2).sum(), history)

    def test_too_many_variables_are_refused(self):
        history = run(lambda x: (x**2).sum(), np.ones(201), "lbfgs").history
        with pytest.raises(ValueError, match="up to n = 200"):
            eigenvalue_ribbons(lambda x: (x**2).sum(), history)


class TestFigure:
    def test_the_strip_below_counts_the_negative_eigenvalues(self):
        figure = ribbons(made([[-2, -1, 1], [-2, -1, 1], [-1, 1, 1], [1, 1, 2]]))
        assert [text.get_text() for text in figure.axes[2].texts] == ["2", "1", "0"]

    def test_what_is_negative_is_drawn_below_zero_in_its_own_colour(self):
        """Each colour is clipped at zero, so that a line which crosses it changes colour there."""
        figure = ribbons(made([[-1.0, 1.0], [0.5, 2.0]]))
        middle = figure.axes[1]
        svg_text(figure)
        zero = middle.transData.transform((0, 0))[1]
        for line in middle.lines:
            if line.get_color() in (module._POSITIVE, module._NEGATIVE):
                clip = line.get_clip_box()
                below = line.get_color() == module._NEGATIVE
                assert (clip.ymax if below else clip.ymin) == pytest.approx(zero)

    @pytest.mark.parametrize(
        "rows",
        [[[1.0]], [[0.0, 0.0]], [[-1.0]], [[-1e300, 1e300], [1e-300, 1e300]], [[0.0, 1.0], [0.0, 0.0]]],
    )
    def test_it_can_be_drawn_whatever_the_eigenvalues_are(self, rows):
        svg_text(ribbons(made(rows)))
        assert ribbons_caption(made(rows))

    def test_many_eigenvalues_can_be_drawn(self):
        picture, caption = ribbon_figure(problems.get("rosenbrock", n=100), "lbfgs", maxiter=4)
        assert len(svg_text(picture)) < 600_000
        assert "The 100 eigenvalues" in caption

    def test_a_start_that_does_not_exist_is_named(self):
        with pytest.raises(ValueError, match="wood has no start 'there'; it has standard"):
            ribbon_figure(problems.get("wood"), start="there")


class TestCaption:
    def test_it_lists_the_changes_of_the_index(self):
        assert "is 2 → 1 → 0, changing at iteration 1 and 4." in ribbons_caption(
            made([[-2, -1], [-1, 1], [1, 1]], iteration=[0, 1, 4])
        )
        assert "The index is 0 throughout." in ribbons_caption(made([[1, 2], [1, 3]]))
        restless = [[-1.0], [1.0]] * 8
        assert "changes 15 times, between 0 and 1; the last change is at iteration 15." in ribbons_caption(
            made(restless)
        )

    def test_it_states_that_a_run_approaches_a_saddle(self):
        caption = ribbons_caption(made([[-1, 1], [-1, 1], [-1, 1], [1, 1]], gradient=[10, 2e-5, 3, 1e-9]))
        assert "At iteration 1 the gradient has fallen to 2e-5 with 1 negative eigenvalue;" in caption
        assert "up to 3" in caption

    def test_a_run_whose_gradient_never_sinks_is_not(self):
        assert "saddle and leaves" not in ribbons_caption(made([[-1, 1], [-1, 1], [1, 1]], gradient=[10, 5, 6]))
        assert "saddle and leaves" not in ribbons_caption(made([[-1, 1], [-1, 1]], gradient=[10, 1e-9]))

    def test_bfgs_from_the_published_start_of_biggs_leaves_a_saddle(self):
        """The catalogue says that descent from there ends at a saddle."""
        _, caption = ribbon_figure(problems.get("biggs-exp6"), "bfgs")
        assert "the run approaches a saddle and leaves it" in caption

    def test_a_singular_end_has_no_condition_number(self):
        caption = ribbons_caption(made([[0.0, 1.0]]))
        assert "from 0 to 1, 1 of them zero to rounding." in caption
        assert "a condition number of 2." in ribbons_caption(made([[1.0, 2.0]]))
