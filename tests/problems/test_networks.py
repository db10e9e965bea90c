"""Networks compute their layers, and their losses are accurate also if a naive formula overflows."""

import autograd.numpy as anp
import numpy as np
import pytest
from mpmath import mp
from scipy.special import expit

import newtonkit
import problems
from problems.networks import Network, accuracy, binary_cross_entropy, softmax_cross_entropy

EPS = np.finfo(float).eps
ACTIVATIONS = {"relu": lambda z: np.where(z > 0, z, 0.0), "tanh": np.tanh, "sigmoid": expit}
SHAPES = [{"W": (3, 7), "b": (7,)}, {"W": (7, 5), "b": (5,)}, {"W": (5, 4), "b": (4,)}]


def points(number=11, inputs=3, classes=4, seed=0):
    random = np.random.default_rng(seed)
    return random.standard_normal((number, inputs)), random.integers(classes, size=number)


# --------------------------------------------------------------------------------------------------- networks


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_scores_are_affine_maps_with_activations_between_them(activation):
    network = Network((3, 7, 5, 4), activation)
    params, (x, _) = network.start(seed=1), points()
    params = [{"W": layer["W"], "b": layer["b"] + 0.3} for layer in params]
    for i, row in enumerate(x):
        for layer in params[:-1]:
            row = ACTIVATIONS[activation](layer["W"].T @ row + layer["b"])
        expected = params[-1]["W"].T @ row + params[-1]["b"]
        assert network.scores(params, x)[i] == pytest.approx(expected, abs=100 * EPS)


def test_a_start_has_the_shapes_of_the_layers_and_n_numbers():
    network = Network([3, 7, 5, 4])
    params = network.start()
    assert [{name: array.shape for name, array in layer.items()} for layer in params] == SHAPES
    assert sum(array.size for layer in params for array in layer.values()) == network.n == 92


def test_a_network_without_hidden_layers_is_affine():
    network, (x, _) = Network((3, 4)), points()
    assert np.array_equal(network.scores([{"W": np.eye(3, 4), "b": np.ones(4)}], x), x @ np.eye(3, 4) + 1.0)


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
@pytest.mark.parametrize(
    ("weights", "variance"), [("he", 2 / 300), ("xavier", 2 / 500), ("lecun", 1 / 300), (0.01, 1e-4), (0.0, 0.0)]
)
def test_weights_have_the_named_variance_and_biases_are_zero(weights, variance, distribution):
    """The variance of 60,000 draws is within 3 % of the true one: five deviations of √(2/60000), for a normal law."""
    (layer,) = Network((300, 200)).start(seed=2, weights=weights, distribution=distribution)
    assert np.mean(layer["W"] ** 2) == pytest.approx(variance, rel=0.03)
    assert abs(np.mean(layer["W"])) <= 5 * (variance / layer["W"].size) ** 0.5
    assert not layer["b"].any()


def test_the_range_of_uniform_weights_follows_from_their_variance():
    """Uniform in (−a, a) has variance a²/3."""
    W = Network((300, 200)).start(distribution="uniform")[0]["W"]
    a = (3 * 2 / 300) ** 0.5
    assert 0.999 * a < np.abs(W).max() <= a


def test_a_scale_is_a_factor_on_the_weights():
    network = Network((3, 7, 4))
    for plain, scaled in zip(network.start(seed=5), network.start(seed=5, scale=2.0), strict=True):
        assert np.array_equal(2.0 * plain["W"], scaled["W"])


def test_the_same_seed_gives_the_same_weights_and_another_gives_others():
    network = Network((3, 7, 4))
    first, again, other = (network.start(seed=seed)[0]["W"] for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: Network((3,)), r"sizes must name inputs and scores at least, .*; got \(3,\)"),
        (lambda: Network(3), "sizes must name inputs and scores at least, .*; got 3"),
        (lambda: Network((3, 0, 1)), r"sizes\[1\] must be an integer >= 1, got 0"),
        (lambda: Network((3, 1), "softplus"), "activation must be one of 'relu', 'tanh', 'sigmoid'; got 'softplus'"),
        (lambda: Network((3, 1)).start(seed=-1), "seed must be an integer >= 0, got -1"),
        (lambda: Network((3, 1)).start(weights="zero"), "or the standard deviation, a number; got 'zero'"),
        (lambda: Network((3, 1)).start(weights=-1.0), r"weights must be a finite number >= 0, got -1\.0"),
        (lambda: Network((3, 1)).start(distribution="cauchy"), "distribution must be one of 'normal', 'uniform'"),
        (lambda: Network((3, 1)).scores(Network((3, 1)).start(), np.zeros(3)), r"\(points, 3\), got \(3,\)"),
        (lambda: Network((3, 1)).scores(Network((3, 2, 1)).start(), np.zeros((1, 3))), "must have 1 layers, got 2"),
        (
            lambda: Network((3, 4, 1)).scores(Network((3, 2, 1)).start(), np.zeros((1, 3))),
            r"params\[0\]\['W'\] must have shape \(3, 4\), got \(3, 2\)",
        ),
        (lambda: Network((2, 1)).scores([{"W": np.zeros((2, 1)), "b": 0.0}], np.zeros((1, 2))), r"\['b'\].* \(1,\)"),
    ],
)
def test_the_error_message_names_a_mistake_and_the_valid_values(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()


# ----------------------------------------------------------------------------------------------------- losses


def true_softmax_loss(scores, labels):
    """From the definition, with 60 digits."""
    with mp.workdps(60):
        losses = [
            mp.log(mp.fsum(mp.exp(mp.mpf(float(s))) for s in row)) - mp.mpf(float(row[label]))
            for row, label in zip(scores, labels, strict=True)
        ]
        return float(mp.fsum(losses) / len(losses))


def true_binary_loss(scores, labels):
    """With 500 digits: e^−1000 is a small part of one."""
    with mp.workdps(500):
        losses = [mp.log(1 + mp.exp(mp.mpf(float(s)) * (-1 if y else 1))) for s, y in zip(scores, labels, strict=True)]
        return float(mp.fsum(losses) / len(losses))


@pytest.mark.parametrize("size", [1e-3, 1.0, 30.0, 1e3])
def test_the_softmax_loss_is_accurate_for_scores_of_any_size(size):
    """Up to 10 roundings of the largest score."""
    scores = size * np.random.default_rng(1).uniform(-1, 1, (20, 5))
    labels = np.random.default_rng(2).integers(5, size=20)
    expected = true_softmax_loss(scores, labels)
    assert softmax_cross_entropy(scores, labels) == pytest.approx(expected, rel=10 * EPS, abs=10 * EPS * size)


@pytest.mark.parametrize("score", [1e3, 40.0, 1.0, 0.0, -1.0, -40.0, -700.0, -1e3])
@pytest.mark.parametrize("label", [0, 1])
def test_the_binary_loss_of_one_point_is_accurate_to_the_last_digits(score, label):
    """Relative: also where it is 1e-300; the smallest double where it is 0."""
    loss = binary_cross_entropy(np.array([score]), np.array([label]))
    assert loss == pytest.approx(true_binary_loss([score], [label]), rel=4 * EPS, abs=1e-307)


def test_two_classes_by_softmax_are_one_score_by_sigmoid():
    """Only the difference of two scores matters."""
    scores, labels = np.random.default_rng(3).standard_normal((30, 2)), np.arange(30) % 2
    difference = scores[:, 1] - scores[:, 0]
    expected = binary_cross_entropy(difference, labels)
    assert softmax_cross_entropy(scores, labels) == pytest.approx(expected, rel=10 * EPS)


def test_labels_are_numbers_of_classes_or_one_hot_rows():
    scores, labels = np.random.default_rng(4).standard_normal((30, 5)), np.arange(30) % 5
    by_number = softmax_cross_entropy(scores, labels)
    assert softmax_cross_entropy(scores, np.eye(5)[labels]) == by_number
    assert softmax_cross_entropy(scores, labels.astype(float)) == by_number


def test_a_column_of_scores_is_not_broadcast_to_all_pairs():
    scores, labels = np.random.default_rng(5).standard_normal(6), np.arange(6) % 2
    assert binary_cross_entropy(scores[:, None], labels) == binary_cross_entropy(scores, labels)
    assert accuracy(scores[:, None], labels) == accuracy(scores, labels)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: softmax_cross_entropy(np.zeros((2, 3)), np.array([0, 3])), "labels must be the classes 0 … 2, got 3"),
        (lambda: softmax_cross_entropy(np.zeros((2, 3)), np.array([0.5, 1])), "labels must be the classes 0 … 2"),
        (lambda: softmax_cross_entropy(np.zeros((2, 3)), np.zeros(3)), r"shape \(2,\) or \(2, 3\), got \(3,\)"),
        (lambda: softmax_cross_entropy(np.zeros((2, 1)), np.zeros(2)), r"two classes or more, got \(2, 1\)"),
        (lambda: binary_cross_entropy(np.zeros(2), np.array([-1, 1])), "labels must be the classes 0 … 1, got -1"),
        (lambda: binary_cross_entropy(np.zeros((2, 2)), np.zeros(4)), r"\(points, 1\) and labels \(points,\), got"),
        (lambda: accuracy(np.zeros((2, 3)), np.eye(3)[:2]), r"labels must have shape \(2,\), the numbers"),
    ],
)
def test_labels_that_do_not_fit_are_refused(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()


def test_accuracy_is_the_share_of_points_whose_class_scores_highest():
    scores = np.array([[0.1, 0.9, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0], [5.0, 0.0, 0.0]])
    assert accuracy(scores, np.array([1, 0, 2, 2])) == 0.75


# ------------------------------------------------------------------------------------------------ derivatives


CLASSES = {"softmax": (softmax_cross_entropy, 4), "binary": (binary_cross_entropy, 1)}


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("loss", CLASSES)
def test_derivatives_pass_the_taylor_test(loss, activation):
    function, classes = CLASSES[loss]
    network = Network((3, 5, classes), activation)
    x, labels = points(classes=max(classes, 2))
    check = newtonkit.check_derivatives(lambda p: function(network.scores(p, x), labels), network.start(seed=6))
    assert check.ok, check


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("loss", CLASSES)
def test_a_network_with_points_and_labels_as_arguments_is_taped(loss, one_hot, activation):
    """Recorded on one batch, replayed on others; the last, smaller one has a tape of its own."""
    function, classes = CLASSES[loss]
    network = Network((3, 5, classes), activation)
    params = network.start(seed=7)

    def fun(params, x, labels):
        return function(network.scores(params, x), labels)

    taped = newtonkit.value_and_grad(fun)
    for batch in range(8):
        x, labels = points(number=5 if batch % 2 else 9, classes=max(classes, 2), seed=batch)
        if one_hot and loss == "softmax":
            labels = np.eye(classes)[labels]
        f, g = taped(params, x, labels)
        f_plain, g_plain = newtonkit.value_and_grad(fun)(
            params, x, labels
        )  # new each time: never long enough to record
        assert f == pytest.approx(f_plain, rel=1e-14)
        for layer, plain in zip(g, g_plain, strict=True):
            assert layer["W"] == pytest.approx(plain["W"], abs=1e-14)
    result = newtonkit.minimize(fun, params, args=(x, labels), method="lbfgs", options={"maxiter": 10})
    assert result.derivatives == "tape"


def test_huge_scores_have_finite_derivatives():
    scores, labels = 1e3 * np.random.default_rng(8).uniform(-1, 1, (20, 5)), np.arange(20) % 5
    for loss in (
        lambda s: softmax_cross_entropy(anp.reshape(s, (20, 5)), labels),
        lambda s: binary_cross_entropy(s, np.arange(100) % 2),
    ):
        f, g = newtonkit.value_and_grad(loss)(scores.reshape(-1))
        assert np.isfinite(f)
        assert np.abs(g).max() <= 1.0
        assert np.isfinite(newtonkit.hvp(loss)(scores.reshape(-1), g)).all()


# ------------------------------------------------------------------------------------- the registered problem


@pytest.fixture(scope="module")
def moons_network():
    pytest.importorskip("sklearn", reason="two moons come from scikit-learn")
    return problems.get("moons-network")


def test_a_network_of_zeros_is_a_minimum_that_classifies_nothing(moons_network):
    """At θ = 0 of three layers the Hessian is l2·I, plus 1/4 for the last bias, by hand."""
    curvatures = np.linalg.eigvalsh(newtonkit.hessian(moons_network.fun)(np.zeros(30)))
    assert curvatures[:-1] == pytest.approx(np.full(29, 1e-3), rel=1e-12)
    assert curvatures[-1] == pytest.approx(0.251, rel=1e-12)
    near = 2e-3 * np.random.default_rng(9).standard_normal(30)
    result = newtonkit.minimize(moons_network.fun, near, method=newtonkit.GradientDescent(rate=1.0), tol=1e-9)
    assert result.success
    assert moons_network.reached(result.x) is moons_network.points[0]


def test_the_order_of_hidden_units_and_their_signs_do_not_matter(moons_network):
    """tanh is odd: every minimum has 5!·2!·2⁷ images, though not all of them are different."""
    best, image = (np.array(point.x) for point in moons_network.minima[:2])
    assert not np.array_equal(best, image)
    assert moons_network.fun(best) == pytest.approx(moons_network.fun(image), abs=10 * EPS)


def test_a_problem_for_training_is_not_in_the_default_comparison():
    assert "moons-network" in problems.names("benchmark")
