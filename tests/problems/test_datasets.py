"""Data sets have the documented content, and error messages for missing or broken files state what to do."""

import gzip
import struct
import sys

import numpy as np
import pytest

from problems import datasets


@pytest.fixture
def sklearn():
    return pytest.importorskip("sklearn.datasets", reason="these data come with scikit-learn")


def idx(array, kind=8, magic=b"\0\0"):
    """The bytes of an IDX file, written from its definition."""
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return magic + bytes([kind, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def images_and_labels(number, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(256, size=(number, 28, 28)), random.integers(10, size=number)


@pytest.fixture
def folder(tmp_path):
    """A folder with seven training images, plain, and five for testing, gzipped."""
    for prefix, number in (("train", 7), ("t10k", 5)):
        images, labels = images_and_labels(number, seed=number)
        for name, array in ((f"{prefix}-images-idx3-ubyte", images), (f"{prefix}-labels-idx1-ubyte", labels)):
            if prefix == "train":
                (tmp_path / name).write_bytes(idx(array))
            else:
                (tmp_path / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
    return tmp_path


# ---------------------------------------------------------------------------------------------- scikit-learn's


def test_two_moons_are_two_half_circles(sklearn):
    """Without noise: the upper half of the unit circle about 0, and the lower one about (1, 1/2)."""
    x, labels = datasets.moons(101, noise=0.0)
    upper, lower = x[labels == 0], x[labels == 1] - [1.0, 0.5]
    for half, sign in ((upper, 1), (lower, -1)):
        assert np.hypot(*half.T) == pytest.approx(np.ones(len(half)), rel=1e-14)
        assert (sign * half[:, 1] >= -1e-15).all()
    assert len(x) == 101


def test_the_default_moons_are_300_points_with_noise_one_fifth(sklearn):
    x, labels = datasets.moons()
    assert x.shape == (300, 2)
    assert np.bincount(labels).tolist() == [150, 150]
    clean, _ = datasets.moons(noise=0.0)
    assert np.std(x - clean) == pytest.approx(0.2, rel=0.1)


def test_the_same_seed_gives_the_same_moons(sklearn):
    assert np.array_equal(datasets.moons(seed=5)[0], datasets.moons(seed=5)[0])
    assert not np.array_equal(datasets.moons(seed=5)[0], datasets.moons(seed=6)[0])


def test_digits_and_breast_cancer_agree_with_scikit_learn(sklearn):
    x, labels = datasets.digits()
    assert (x.shape, x.min(), x.max()) == ((1797, 64), 0.0, 1.0)
    assert np.array_equal(labels, sklearn.load_digits().target)
    x, labels = datasets.breast_cancer()
    assert x.shape == (569, 30)
    assert np.bincount(labels).tolist() == [212, 357]


@pytest.mark.parametrize(
    "load", [datasets.moons, datasets.digits, datasets.breast_cancer, datasets.mnist], ids=lambda load: load.__name__
)
def test_without_scikit_learn_the_error_message_states_what_to_install(monkeypatch, load):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r'come with scikit-learn: pip install "newtonkit\[data\]"'):
        load()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": 1}, "points must be an integer >= 2, got 1"),
        ({"noise": -0.1}, r"noise must be a finite number >= 0, got -0\.1"),
        ({"seed": 0.5}, r"seed must be an integer >= 0, got 0\.5"),
    ],
)
def test_impossible_moons_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        datasets.moons(**arguments)


# ------------------------------------------------------------------------------------------------- IDX files


@pytest.mark.parametrize("shape", [(5,), (4, 3, 2), (0, 28, 28)])
@pytest.mark.parametrize("zipped", [False, True])
def test_an_idx_file_contains_its_array(tmp_path, shape, zipped):
    array = np.random.default_rng(1).integers(256, size=shape)
    path = tmp_path / "array"  # gzip is recognized by the bytes: an unpacked file may have kept its name
    path.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    assert np.array_equal(datasets.read_idx(path), array)


WHOLE = idx(np.arange(6).reshape(2, 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "array is no IDX file: it must begin with two zero bytes, got b''"),
        (b"<!DOCTYPE html>", "is no IDX file: it must begin with two zero bytes, got b'<!DO'"),
        (idx(np.zeros(3), kind=13), r"must hold unsigned bytes \(type 8\), got type 13"),
        (WHOLE[:9], "cut off inside its header: 12 bytes announced, 9 there"),
        (WHOLE[:-1], "must hold 2×3 = 6 entries, got 5"),
        (WHOLE + b"\0", "must hold 2×3 = 6 entries, got 7"),
        (gzip.compress(WHOLE)[:-9], "cannot be unpacked, perhaps it was cut off"),
        (gzip.compress(WHOLE)[:15] + b"\xff" * 9, "cannot be unpacked"),
    ],
    ids=["empty", "a page", "floats", "header", "short", "long", "gzip cut off", "gzip broken"],
)
def test_the_error_message_names_a_broken_idx_file_and_the_fault(tmp_path, content, message):
    path = tmp_path / "array"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        datasets.read_idx(path)


# ----------------------------------------------------------------------------------------------------- MNIST


@pytest.mark.parametrize(("part", "number"), [("train", 7), ("test", 5)])
def test_a_part_of_mnist_consists_of_images_between_zero_and_one(folder, part, number):
    images, expected = images_and_labels(number, seed=number)
    x, labels = datasets.mnist(folder, part)
    assert np.array_equal(x, images.reshape(number, 784) / 255)
    assert np.array_equal(labels, expected)
    assert (x.dtype, labels.dtype) == (np.float64, np.int64)


def test_all_of_mnist_is_the_train_part_and_then_the_other(folder):
    x, labels = datasets.mnist(str(folder), "all")
    for part, rows in (("train", slice(7)), ("test", slice(7, None))):
        part_x, part_labels = datasets.mnist(folder, part)
        assert np.array_equal(x[rows], part_x)
        assert np.array_equal(labels[rows], part_labels)


def test_one_part_does_not_require_the_files_of_the_other(folder):
    for path in folder.glob("train*"):
        path.unlink()
    assert len(datasets.mnist(folder, "test")[0]) == 5
    names = "train-images-idx3-ubyte and train-labels-idx1-ubyte"
    with pytest.raises(FileNotFoundError, match=f"put {names}, plain or .gz, into {folder}"):
        datasets.mnist(folder, "all")


def test_only_the_missing_file_is_requested(folder):
    (folder / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="put train-labels-idx1-ubyte, plain"):
        datasets.mnist(folder)


def test_the_other_spelling_of_the_names_is_accepted(folder):
    for path in folder.glob("train*"):
        path.rename(folder / path.name.replace("-idx", ".idx"))
    assert len(datasets.mnist(folder)[0]) == 7


def test_images_and_labels_that_do_not_match_are_refused(folder):
    labels = folder / "train-labels-idx1-ubyte"
    labels.write_bytes(idx(np.zeros(8)))
    with pytest.raises(ValueError, match="must hold 7 labels, one for each image; got"):
        datasets.mnist(folder)
    (folder / "train-images-idx3-ubyte").write_bytes(idx(np.zeros(7)))
    with pytest.raises(ValueError, match="must hold images, an array of 3 dimensions; got 1"):
        datasets.mnist(folder)


def test_the_error_message_for_an_unknown_part_lists_the_known_ones(folder):
    with pytest.raises(ValueError, match="part must be one of 'train', 'test', 'all'; got 't10k'"):
        datasets.mnist(folder, "t10k")


def test_without_a_folder_the_data_come_from_openml(monkeypatch, sklearn):
    """Its 70,000 images are the 60,000 for training and then the others; labels are strings there."""
    x, labels = np.full((60_003, 2), 51.0), np.full(60_003, "7")
    x[60_000:], labels[60_000:] = 255.0, "3"
    asked = []

    def fetch(name, **options):
        asked.append((name, options["as_frame"], options["return_X_y"]))
        return x, labels

    monkeypatch.setattr(sklearn, "fetch_openml", fetch)
    images, classes = datasets.mnist(part="test")
    assert images.tolist() == [[1.0, 1.0]] * 3
    assert classes.tolist() == [3, 3, 3]
    images, classes = datasets.mnist()
    assert (images == 0.2).all()
    assert (classes == 7).all()
    assert len(datasets.mnist(part="all")[0]) == 60_003
    assert set(asked) == {("mnist_784", False, True)}


def test_without_a_network_the_error_message_requests_a_folder(monkeypatch, sklearn):
    from urllib.error import URLError

    def fetch(*arguments, **options):
        raise URLError("no route to host")

    monkeypatch.setattr(sklearn, "fetch_openml", fetch)
    with pytest.raises(FileNotFoundError, match=r"openml\.org could not be reached .*; download MNIST's IDX files"):
        datasets.mnist()
