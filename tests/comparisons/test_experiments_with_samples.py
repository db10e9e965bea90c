"""The experiments on sampled gradients: MNIST as a document runs it, and L-BFGS against the size of the batch."""

import gzip
import math
import struct

import numpy as np
import pytest

from comparisons.report.document import Figure as FigureBlock
from comparisons.report.document import Table
from comparisons.studies import registry as experiments
from comparisons.studies.learning import minibatch_lbfgs, mnist, mnist_subset
from comparisons.studies.learning.loss_curves import minimized, trained
from newtonkit import Adam
from problems.networks import Network

pytest.importorskip("sklearn.datasets", reason="the digits come with scikit-learn")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """IDX files of 240 pictures, of which each class has a bright stripe of its own among noise."""
    random = np.random.default_rng(0)
    labels = np.arange(240) % 10
    images = random.integers(60, size=(240, 28, 28))
    for image, label in zip(images, labels, strict=True):
        image[2 * label : 2 * label + 3] += 180
    place = tmp_path_factory.mktemp("mnist")
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        header = b"\0\0" + bytes([8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        (place / f"t10k-{name}-ubyte.gz").write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))
    return place


@pytest.fixture(scope="module")
def on_mnist(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    return experiments.run("mnist", out, quick=True, folder=str(folder), part="test")


def test_mnist_shows_every_rule_at_the_rates_of_the_document(on_mnist):
    rows = on_mnist.parts(Table)[0].rows
    assert [row[0] for row in rows] == ["SGD", "momentum", "AdaGrad", "RMSProp", "AdaDelta", "Adam"]
    assert [row[1] for row in rows] == ["0.01", "0.01", "0.01", "0.001", "1", "0.001"]
    assert all(picture.path.stat().st_size > 0 for picture in on_mnist.parts(FigureBlock))


def test_no_method_spends_more_passes_than_it_has(folder):
    x, labels = mnist.datasets.mnist(folder, "test")
    subset = mnist_subset.subset_of(Network((784, 10)), x, labels, 100, seed=3)
    runs = [minimized(subset, method, 3, 12) for method in ("lbfgs", "newton-cg")]
    runs.append(trained(subset, Adam(rate=0.01), 32, 3, 12))
    for course in runs:
        assert course.spent[-1] <= 12
        assert course.loss[-1] < course.loss[0]
        assert course.loss[-1] == pytest.approx(subset.loss(course.params, subset.data))
        assert course.held_out[-1] == pytest.approx(subset.loss(course.params, subset.held_out))
        assert len(course.spent) == len(course.loss) == len(course.held_out) == len(course.seconds)


def test_images_that_are_trained_on_are_not_tested_on(folder):
    x, labels = mnist.datasets.mnist(folder, "test")
    subset = mnist_subset.subset_of(Network((784, 10)), x, labels, 120, seed=0)
    together = np.vstack([subset.data[0], subset.held_out[0]])
    assert len(np.unique(together, axis=0)) == 240


def test_too_large_a_subset_is_refused_since_others_are_needed_for_testing(folder, tmp_path):
    with pytest.raises(ValueError, match=r"images must be at most half of the 240 there are.*got 121"):
        experiments.run("mnist", tmp_path, folder=str(folder), part="test", images=121)


def test_a_smoothed_loss_is_the_mean_of_those_around_it():
    losses = np.arange(1000.0)
    assert mnist.smoothed(losses, 500) == pytest.approx(500.0)
    assert mnist.smoothed(losses, 0) == 0.0


@pytest.fixture(scope="module")
def digits():
    return minibatch_lbfgs.Digits()


def test_the_loss_of_the_digits_is_that_of_the_problem_whose_minimum_is_certified(digits):
    problem = minibatch_lbfgs.problems.get("digits-softmax")
    random = np.random.default_rng(1)
    W, b = random.standard_normal((64, 10)), random.standard_normal(10)
    theta = np.hstack([W.T, b[:, None]]).ravel()
    f = digits.loss([{"W": W, "b": b}], digits.data)
    assert math.isclose(f, problem.fun(theta), rel_tol=1e-13)


def test_pairs_over_two_batches_are_far_from_the_curvature_that_pairs_on_one_batch_see(digits):
    errors = minibatch_lbfgs.pair_errors(digits, (64, 1024), seed=0)
    for by_kind in errors.values():
        assert by_kind["one batch"][0] < 0.2 * by_kind["two batches"][0]
        assert by_kind["one batch"][1] == 0.0, "f is convex on every batch"
    assert errors[1024]["one batch"][0] < errors[64]["one batch"][0]
    assert errors[64]["two batches"][1] > 0.0


def test_minibatch_lbfgs_settles_above_what_all_data_reach(tmp_path):
    report = experiments.run("minibatch-lbfgs", tmp_path, quick=True)
    levels = {(row[1], row[2]): float(row[5]) for row in report.parts(Table)[0].rows if row[0] == "L-BFGS"}
    assert set(levels) == {("one batch", "64"), ("two batches", "64"), ("–", "all")}
    assert levels["two batches", "64"] > levels["–", "all"]


def test_fewer_than_two_passes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="passes must be an integer of at least 2, got 1"):
        experiments.run("minibatch-lbfgs", tmp_path, passes=1)
