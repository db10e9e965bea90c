"""The studies of least squares: NIST's runs, outliers, coverage of intervals."""

import pytest
from click.testing import CliRunner

from comparisons.cli.main import main
from comparisons.studies.solvers import fit_coverage, fit_large, fits


def test_the_tables_of_two_data_sets():
    runs = list(fits.measure(["Misra1a", "Thurber"]))
    table = {row[0]: row for row in fits.nist_table(runs).rows}
    ours = table["newtonkit hybrid"]
    assert ours[1:5] == ["4", "4", "0", "0"]
    assert {"scipy lm, exact J", "scipy curve_fit"} <= set(table)
    digits = [float(row[2]) for row in fits.deviation_table(["Misra1a"]).rows]
    assert digits[0] > 9.0


def test_robust_losses_resist_outliers():
    rows = {(row[0], row[1]): float(row[2]) for row in fits.outlier_table(count=10).rows}
    assert rows["cauchy", "newtonkit"] < 0.2 * rows["linear", "newtonkit"]


def test_large_fits_reach_the_cost_of_scipy():
    rows = fit_large.large_table(cameras=16, points=40, rows=1000).rows
    for fit in ("bundle adjustment", "sines"):
        costs = {row[2]: float(row[7]) for row in rows if row[0] == fit}
        assert costs["newtonkit"] == pytest.approx(costs["scipy trf, 1e-10"], rel=1e-6)
    assert all(row[8] == "True" for row in rows if row[2].startswith("newtonkit"))


def test_the_command_shows_the_parts_that_are_requested():
    result = CliRunner().invoke(main, ["fits", "--part", "nist", "-d", "Misra1a"])
    assert result.exit_code == 0, result.output
    assert result.output.count("false successes of our methods: 0") == 1
    assert "Outliers" not in result.output


@pytest.mark.slow
@pytest.mark.parametrize("name", fit_coverage.MODELS)
def test_intervals_cover_the_truth(name):
    """Of 1000 data sets, 93 to 97 %: three standard deviations of the count around 95 %."""
    for parameter, share in fit_coverage.coverage(name, count=1000, seed=0).items():
        assert 0.93 <= share <= 0.97, (parameter, share)
