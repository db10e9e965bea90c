"""curve_fit: agreement with scipy, named parameters, intervals, bands, and the report."""

import gc
import pickle
import weakref

import autograd.numpy as np
import numpy as onp
import pytest
import scipy.optimize
from scipy.optimize import OptimizeWarning

import newtonkit
from problems.nist.data_sets import data_set

X = onp.linspace(0.0, 4.0, 50)
Y = 2.5 * onp.exp(-1.3 * X) + 0.5 + 0.05 * onp.random.default_rng(1).standard_normal(50)


def decay(x, amplitude, rate, offset):
    return amplitude * np.exp(-rate * x) + offset


@pytest.mark.parametrize("sigma", [None, 0.05 + 0.01 * X, onp.diag(0.1 + X) + 0.05])
@pytest.mark.parametrize("absolute_sigma", [False, True])
def test_results_are_those_of_scipy(sigma, absolute_sigma):
    ours, ours_cov = newtonkit.curve_fit(decay, X, Y, sigma=sigma, absolute_sigma=absolute_sigma)
    theirs, theirs_cov = scipy.optimize.curve_fit(decay, X, Y, sigma=sigma, absolute_sigma=absolute_sigma)
    onp.testing.assert_allclose(ours, theirs, rtol=1e-6)
    onp.testing.assert_allclose(ours_cov, theirs_cov, rtol=1e-4)


def test_it_unpacks_as_in_scipy():
    fit = newtonkit.curve_fit(decay, X, Y)
    popt, pcov = fit
    assert len(fit) == 2
    assert fit[0] is popt
    assert pcov.shape == (3, 3)
    full = newtonkit.curve_fit(decay, X, Y, full_output=True)
    _, _, infodict, message, flag = full
    assert len(full) == 5
    assert infodict["nfev"] == full.result.nfev
    assert flag in (1, 2, 3, 4)
    assert message == full.result.message


def test_plain_numpy_models_are_differentiated_by_differences():
    fit = newtonkit.curve_fit(lambda x, a, b: float(a) * onp.exp(-float(b) * x), X, Y)
    assert fit.success
    assert "3-point differences" in fit.report()


def test_fixed_tied_and_bounded_parameters_by_name():
    fit = newtonkit.curve_fit(
        decay,
        X,
        Y,
        p0={"amplitude": 1.0, "rate": 1.0},
        bounds={"rate": (None, 1.2)},
        tied={"offset": lambda p: 0.2 * p["amplitude"]},
    )
    assert fit.names == ["amplitude", "rate"]
    assert fit.parameters["rate"] == 1.2
    assert fit.parameters["offset"] == pytest.approx(0.2 * fit.parameters["amplitude"])
    assert "at its upper bound" in fit.report()
    fixed = newtonkit.curve_fit(decay, X, Y, fixed={"offset": 0.5})
    theirs = scipy.optimize.curve_fit(lambda x, a, b: decay(x, a, b, 0.5), X, Y)[0]
    onp.testing.assert_allclose(fixed.popt, theirs, rtol=1e-6)


def test_profile_intervals_meet_their_definition():
    """At an end of the interval the cost, minimized over the rest, exceeds the lowest by t² s²/2."""
    fit = newtonkit.curve_fit(decay, X, Y)
    ends = fit.intervals(0.9, "profile")["rate"]
    from scipy.stats import t as student

    threshold = student.ppf(0.95, fit.degrees) ** 2 * fit.variance / 2.0
    for end in ends:
        refit = newtonkit.curve_fit(decay, X, Y, fixed={"rate": end})
        assert refit.result.cost - fit.result.cost == pytest.approx(threshold, rel=1e-3)
    low, high = fit.intervals(0.9)["rate"]
    assert low < fit.parameters["rate"] < high


def test_profile_intervals_of_a_linear_model_are_those_of_t():
    fit = newtonkit.curve_fit(lambda x, a, b: a + b * x, X, Y)
    for name, ends in fit.intervals(0.95, "profile").items():
        onp.testing.assert_allclose(ends, fit.intervals(0.95)[name], rtol=1e-3)


def test_bands_and_predictions():
    fit = newtonkit.curve_fit(lambda x, a, b: a + b * x, X, Y)
    low, high = fit.band([2.0], 0.95)
    wide_low, wide_high = fit.band([2.0], 0.95, "prediction")
    # the textbook formula of a straight line: s √(1/m + (x − mean)²/Σ(xᵢ − mean)²) · t
    from scipy.stats import t as student

    half = student.ppf(0.975, 48) * onp.sqrt(
        fit.variance * (1 / 50 + (2.0 - X.mean()) ** 2 / onp.sum((X - X.mean()) ** 2))
    )
    assert (high - low)[0] / 2 == pytest.approx(half, rel=1e-6)
    assert (wide_high - wide_low)[0] / 2 > half
    onp.testing.assert_allclose(fit.predict(), fit.popt[0] + fit.popt[1] * X)


def test_the_report_has_everything():
    fit = data_set("Misra1a")
    text = newtonkit.curve_fit(lambda x, b1, b2: b1 * (1 - np.exp(-b2 * x)), fit.x, fit.y, p0=fit.starts[0]).report()
    for part in ("b1", "238.942", "2.707", "95 % interval", "degrees of freedom", "0.1018", "AIC", "verdict: minimum"):
        assert part in text


def test_undetermined_parameters_give_infinite_covariance_and_a_warning():
    with pytest.warns(OptimizeWarning, match="do not determine"):
        fit = newtonkit.curve_fit(lambda x, a, b, c: a * np.exp(-(b + c) * x), X, Y)
    assert not fit.success
    assert onp.isinf(fit.pcov).all()


def test_outliers_are_listed():
    y = Y.copy()
    y[[3, 17]] += 4.0
    fit = newtonkit.curve_fit(decay, X, y, loss="cauchy", f_scale=0.05)
    assert fit.outliers.tolist() == [3, 17]
    assert "index 3, 17" in fit.report()
    onp.testing.assert_allclose(fit.popt, [2.5, 1.3, 0.5], atol=0.1)


def test_missing_data():
    y = Y.copy()
    y[5] = onp.nan
    with pytest.raises(ValueError, match="finite"):
        newtonkit.curve_fit(decay, X, y)
    with pytest.raises(ValueError, match="NaN"):
        newtonkit.curve_fit(decay, X, y, check_finite=False, nan_policy="raise")
    omitted = newtonkit.curve_fit(decay, X, y, check_finite=False, nan_policy="omit").popt
    kept = onp.arange(50) != 5
    onp.testing.assert_allclose(omitted, newtonkit.curve_fit(decay, X[kept], Y[kept]).popt, rtol=1e-8)


def test_several_predictors():
    x = onp.stack([X, X**2])
    fit = newtonkit.curve_fit(lambda x, a, b, c: a + b * x[0] + c * x[1], x, 1.0 + 2.0 * X - 0.5 * X**2)
    onp.testing.assert_allclose(fit.popt, [1.0, 2.0, -0.5], rtol=1e-8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p0": [1.0, 1.0]}, "3 entries"),
        ({"p0": {"amplitud": 1.0}}, "amplitud"),
        ({"fixed": {"speed": 1.0}}, "speed"),
        ({"sigma": onp.ones(4)}, "sigma"),
        ({"sigma": -onp.ones(50)}, "positive"),
        ({"nan_policy": "skip"}, "nan_policy"),
        ({"bounds": {"speed": (0, 1)}}, "speed"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        newtonkit.curve_fit(decay, X, Y, **arguments)


def test_a_misspelt_option_and_complex_data_are_named():
    with pytest.raises(TypeError, match="did you mean 'absolute_sigma'"):
        newtonkit.curve_fit(line_and_decay, X, X, absolut_sigma=True)
    with pytest.raises(ValueError, match="ydata must be real"):
        newtonkit.curve_fit(line_and_decay, X, X + 1j)


def test_a_model_may_return_a_list():
    fit = newtonkit.curve_fit(lambda t, a, b: [a * onp.exp(-b * s) for s in t], X, 2.0 * onp.exp(-0.5 * X))
    onp.testing.assert_allclose(fit.popt, [2.0, 0.5], rtol=1e-6)


def test_the_end_of_a_fit_is_stated_on_the_fit():
    y = 2.0 * onp.exp(-1.3 * X) + 0.5 + 0.01 * onp.cos(40.0 * X)
    fit = newtonkit.curve_fit(line_and_decay, X, y, sigma=onp.full(X.size, 0.1))
    assert (fit.reason.name, fit.message, fit.verdict.kind) == ("STEP", fit.result.message, "minimum")
    onp.testing.assert_allclose(fit.residuals, (fit.predict() - y) / 0.1, rtol=1e-12, atol=1e-12)


def test_a_model_of_the_wrong_shape_is_named():
    with pytest.raises(ValueError, match="50 values"):
        newtonkit.curve_fit(lambda x, a: a * x[:10], X, Y)


def test_the_figure_shows_data_curve_and_bands():
    pytest.importorskip("matplotlib")
    figure = newtonkit.curve_fit(decay, X, Y).plot()
    above, below = figure.axes
    assert [text.get_text() for text in above.get_legend().get_texts()] == [
        "95 % prediction",
        "95 % confidence",
        "fit",
        "data",
    ]
    assert below.get_ylabel() == "y − fit"


def line_and_decay(t, a, b, c):
    return a * np.exp(-b * t) + c


def test_fits_of_one_model_share_their_tapes():
    """Other data, weights, fixed and tied parameters after each other: the same as with a new function each time."""
    x = onp.linspace(0.0, 4.0, 30)
    for k in range(4):
        y = (2.0 + k) * onp.exp(-1.3 * x) + 0.1 * k + 0.01 * onp.cos(40.0 * x)
        for options in ({}, {"sigma": 1.0 + x}, {"fixed": {"c": 0.1 * k}}, {"tied": {"c": lambda p: 0.1 * p["a"]}}):
            shared = newtonkit.curve_fit(line_and_decay, x, y, **options)
            new = newtonkit.curve_fit(lambda t, a, b, c: line_and_decay(t, a, b, c), x, y, **options)
            onp.testing.assert_allclose(shared.popt, new.popt, rtol=1e-8)
            onp.testing.assert_allclose(shared.pcov, new.pcov, rtol=1e-6)


def test_the_model_is_not_kept_alive():
    """The shared tapes refer to the model weakly."""

    def model(t, a):
        return a * t

    newtonkit.curve_fit(model, [1.0, 2.0], [2.0, 4.1])
    reference = weakref.ref(model)
    del model
    gc.collect()
    assert reference() is None


class Scaled:
    """A model with a parameter of the object; all objects are equal, but not identical."""

    def __init__(self, rate):
        self.rate = rate

    def model(self, t, a, b):
        return a * np.exp(-self.rate * t) + b

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1


def test_bound_methods_of_equal_objects_share_nothing():
    x = onp.linspace(0.0, 4.0, 30)
    first, second = Scaled(1.0), Scaled(2.0)
    for _ in range(3):
        for scaled in (first, second):
            y = 3.0 * onp.exp(-scaled.rate * x) + 0.5
            onp.testing.assert_allclose(newtonkit.curve_fit(scaled.model, x, y).popt, [3.0, 0.5], rtol=1e-8)
    reference = weakref.ref(first)
    del first, scaled
    gc.collect()
    assert reference() is None
    second.rate = 1.5
    y = 3.0 * onp.exp(-1.5 * x) + 0.5
    onp.testing.assert_allclose(newtonkit.curve_fit(second.model, x, y).popt, [3.0, 0.5], rtol=1e-8)


def test_fits_pickle():
    x = onp.linspace(0.0, 4.0, 30)
    y = 2.0 * onp.exp(-1.3 * x) + 0.5 + 0.01 * onp.cos(40.0 * x)
    fit = newtonkit.curve_fit(line_and_decay, x, y)
    again = pickle.loads(pickle.dumps(fit))
    assert again.report() == fit.report()
    onp.testing.assert_array_equal(again.predict([1.0, 2.0]), fit.predict([1.0, 2.0]))
    without_model = pickle.loads(pickle.dumps(newtonkit.curve_fit(lambda t, a: a * t, x, y)))
    assert "a" in without_model.report()
    with pytest.raises(ValueError, match="pickled"):
        without_model.predict([1.0])
    with pytest.raises(ValueError, match="refits"):
        again.intervals(method="profile")
