"""The basin map says where runs really end."""

import autograd.numpy as anp
import numpy as np
import pytest

import newtonkit
import problems
from comparisons.plots import basin_plots as module
from comparisons.plots.basin_plots import basin_figure, basins, basins_caption, percent
from comparisons.plots.basins import LOST, ON_THE_WAY, UNLISTED, basin_map
from comparisons.plots.style import svg_text


def double_well(x):
    """Minima at (±1, 0), a saddle at 0."""
    return (x[0] ** 2 - 1) ** 2 + x[1] ** 2


BOX = [(-2.0, 2.0), (-1.0, 1.0)]
PURE, NEWTON = 0, 1


@pytest.fixture(scope="module")
def wells():
    return basin_map(double_well, BOX, resolution=20)


def starts(found):
    """The middle of every cell, shape (rows, columns, 2)."""
    rows, columns = found.reached.shape[1:]
    (left, right), (bottom, top) = found.box
    x = left + (np.arange(columns) + 0.5) / columns * (right - left)
    y = bottom + (np.arange(rows) + 0.5) / rows * (top - bottom)
    return np.stack(np.meshgrid(x, y), axis=-1)


class TestMap:
    def test_every_end_is_that_of_the_run_which_minimize_makes(self, wells):
        """Seen from a sample of the starts, for the trust region: its runs stop by another rule, at the same point."""
        grid = starts(wells)
        for row, column in [(0, 0), (3, 17), (10, 9), (10, 10), (19, 4)]:
            result = newtonkit.minimize(double_well, grid[row, column], method="newton", options={"gtol": 1e-8})
            np.testing.assert_allclose(wells.points[wells.reached[NEWTON, row, column]].x, result.x, atol=1e-6)

    def test_pure_newton_steps_in_one_variable_are_those_of_the_closed_form(self, wells):
        """x ← x − (x³ − x)/(3x² − 1) here, whatever y is; y is zero after one step."""
        x = starts(wells)[0, :, 0]
        with np.errstate(all="ignore"):
            for _ in range(200):
                x = x - (x**3 - x) / (3 * x**2 - 1)
        ends = np.array([point.x[0] for point in wells.points])
        np.testing.assert_allclose(ends[wells.reached[0]], np.tile(x, (20, 1)), atol=1e-9)

    def test_a_method_with_a_trust_region_ends_at_a_minimum_from_every_start(self, wells):
        assert wells.share(NEWTON, "minimum") == 1.0
        assert 0.0 < wells.share(PURE, "saddle") < 0.5

    def test_the_shares_of_all_outcomes_add_up_to_one(self, wells):
        for m in (PURE, NEWTON):
            somewhere = sum(wells.share(m, kind) for kind in ("minimum", "saddle", "maximum"))
            assert somewhere + (wells.reached[m] < 0).mean() == pytest.approx(1.0)

    def test_a_start_at_a_saddle_is_left_by_a_trust_region_and_by_no_pure_newton_step(self):
        """The middle cell of an odd grid lies on the saddle: being there is not the same as ending there."""
        found = basin_map(double_well, BOX, resolution=3)
        (saddle,) = found.numbers("saddle")
        assert (found.reached[PURE, 1, 1], found.steps[PURE, 1, 1]) == (saddle, 0)
        assert found.reached[NEWTON, 1, 1] in found.numbers("minimum")

    def test_a_minimum_where_no_step_is_possible_is_reached_all_the_same(self):
        found = basin_map(lambda x: x[0] ** 2 + x[1] ** 2, BOX, ["newton", "bfgs"], resolution=3)
        assert (found.reached == 0).all()
        assert (found.steps[:, 1, 1] == 0).all()

    def test_a_run_that_falls_without_end_is_lost(self):
        found = basin_map(lambda x: x[0] ** 2 - x[1] ** 2, BOX, ["gd-linesearch", "newton"], resolution=4)
        assert (found.reached == LOST).all()

    def test_a_run_that_is_cut_short_is_on_the_way(self):
        found = basin_map(double_well, BOX, [newtonkit.GradientDescent(rate=1e-3)], resolution=4, maxiter=5)
        assert (found.reached == ON_THE_WAY).all()
        assert (found.steps == 5).all()

    def test_rest_at_a_point_outside_the_list_is_told_apart(self):
        """The minima are outside the box that was searched."""
        found = basin_map(double_well, [(-0.4, 0.4), (-0.4, 0.4)], ["newton"], resolution=4)
        assert [point.kind for point in found.points] == ["saddle"]
        assert (found.reached == UNLISTED).all()

    def test_a_detail_knows_the_points_around_it(self):
        picture, caption = basin_figure(
            problems.get("himmelblau"), ["newton"], box=[(-0.5, 0.5), (2.0, 3.0)], resolution=4
        )
        assert "at a minimum from 100 % of the starts" in caption
        assert picture.axes[0].get_xlim() == (-0.5, 0.5)

    def test_every_row_is_announced(self):
        rows = []
        basin_map(double_well, BOX, resolution=3, on_row=lambda: rows.append(1))
        assert len(rows) == 6

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"resolution": 1}, "resolution"),
            ({"maxiter": 0}, "maxiter"),
            ({"methods": ["newtom"]}, "newton"),
            ({"methods": []}, "at least one"),
            ({"box": [(0, 1)]}, "two variables"),
            ({"box": [(1, 0), (0, 1)]}, "box"),
        ],
    )
    def test_mistakes_are_named(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            basin_map(**{"fun": double_well, "box": BOX} | arguments)

    def test_a_problem_that_is_not_in_the_plane_is_refused(self):
        with pytest.raises(ValueError, match="wood has 4"):
            basin_figure(problems.get("wood"))


class TestFigure:
    def test_a_minimum_has_one_hue_in_every_panel(self, wells):
        """The same start, reached in as many steps, has the same colour whatever the method."""
        norm = module._norm(wells)
        one, other = (module._image(wells, m, norm)[:: module._UPSCALE, :: module._UPSCALE] for m in (PURE, NEWTON))
        alike = (wells.reached[0] == wells.reached[1]) & (wells.steps[0] == wells.steps[1])
        assert alike.sum() > 50
        np.testing.assert_array_equal(one[alike], other[alike])

    def test_more_steps_are_darker(self, wells):
        norm = module._norm(wells)
        image = module._image(wells, NEWTON, norm)[:: module._UPSCALE, :: module._UPSCALE].sum(axis=-1)
        there = wells.reached[NEWTON] == 0
        steps, light = wells.steps[NEWTON][there], image[there]
        order = np.argsort(steps, kind="stable")
        assert (np.diff(light[order]) <= 1e-12).all()
        assert light.max() > light.min()

    def test_hatching_marks_the_starts_that_end_at_a_saddle_and_no_others(self, wells):
        """Under the hatching a cell has two colours, elsewhere one."""
        image = module._image(wells, PURE, module._norm(wells))
        k, n = module._UPSCALE, wells.reached.shape[1]
        cells = image.reshape(n, k, n, k, 3)
        hatched = np.ptp(cells, axis=(1, 3)).max(axis=-1) > 0
        kinds = np.array([point.kind for point in wells.points])[wells.reached[0]]
        assert not hatched[kinds == "minimum"].any()
        assert hatched[kinds == "saddle"].mean() > 0.3

    def test_legend_lists_what_is_in_the_picture(self, wells):
        labels = [text.get_text() for text in basins(wells).legends[0].get_texts()]
        assert labels == [
            "minimum 1: f = 0",
            "minimum 2: f = 0",
            "ends at a saddle",
            "position of a saddle",
        ]

    def test_it_can_be_drawn_where_there_is_no_critical_point(self):
        found = basin_map(lambda x: x[0] + anp.exp(x[1]), BOX, ["gd-linesearch"], resolution=3)
        svg_text(basins(found))
        assert "divergence or failure" in basins_caption(found)


class TestCaption:
    def test_it_states_the_shares(self, wells):
        caption = basins_caption(wells)
        assert "20 × 20 in all" in caption
        share = 100 * wells.share(PURE, "saddle")
        assert f"at a saddle from {share:.0f} %" in caption
        assert (
            "with a trust region (newton) ends at a minimum from 100 % of the starts (50 % at 1 and 50 % at 2)."
            in caption
        )

    @pytest.mark.parametrize(
        ("share", "words"),
        [(0.0, "0 %"), (0.25, "25 %"), (0.0004, "less than 0.1 %"), (0.004, "0.4 %"), (0.9996, "more than 99.9 %")],
    )
    def test_small_shares_are_not_rounded_away(self, share, words):
        assert percent(share) == words
