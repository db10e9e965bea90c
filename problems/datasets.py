"""Data sets: two moons, digits and breast cancer from scikit-learn, MNIST from files or from openml.org.

Each function returns (x, labels): points as the rows of a float64 array, and the numbers of their classes.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from problems.base import check_integer, check_number

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

_PARTS = {"train": ("train",), "test": ("t10k",), "all": ("train", "t10k")}
_TRAINED_ON = 60_000  # of the 70,000 images at openml.org, where the train part comes first
_UNSIGNED_BYTE = 8  # the third byte of an IDX file


def moons(points: int = 300, *, noise: float = 0.2, seed: int = 3) -> tuple[Array, Labels]:
    """Two interleaving half circles in the plane; by default with the points of the course on optimizers.

    Parameters
    ----------
    points : int, at least 2, default 300
    noise : float, at least 0, default 0.2
        Standard deviation of the Gaussian noise on both coordinates.
    seed : int, at least 0, default 3

    Returns
    -------
    x : ndarray, shape (points, 2)
    labels : ndarray of 0 and 1, shape (points,)
    """
    points = check_integer("points", points, low=2)
    noise = check_number("noise", noise, low=0.0)
    seed = check_integer("seed", seed, low=0)
    x, labels = _scikit_learn().make_moons(points, noise=noise, random_state=seed)
    return np.asarray(x, dtype=np.float64), np.asarray(labels, dtype=np.int64)


def digits() -> tuple[Array, Labels]:
    """1797 handwritten digits of 8×8 pixels, scaled to [0, 1].

    Returns
    -------
    x : ndarray, shape (1797, 64)
    labels : ndarray of 0 … 9, shape (1797,)

    References
    ----------
    Alpaydin & Kaynak, Optical Recognition of Handwritten Digits, UCI, test part.
    """
    data = _scikit_learn().load_digits()
    return np.asarray(data.data / 16.0), np.asarray(data.target, dtype=np.int64)


def breast_cancer() -> tuple[Array, Labels]:
    """569 tumours with 30 features in their own units; label 1 is benign.

    Returns
    -------
    x : ndarray, shape (569, 30)
    labels : ndarray of 0 and 1, shape (569,)

    References
    ----------
    Wolberg, Mangasarian, Street & Street, Breast Cancer Wisconsin (Diagnostic), UCI.
    """
    data = _scikit_learn().load_breast_cancer()
    return np.asarray(data.data, dtype=np.float64), np.asarray(data.target, dtype=np.int64)


def mnist(folder: Path | str | None = None, part: str = "train") -> tuple[Array, Labels]:
    """MNIST's handwritten digits of 28×28 pixels, scaled to [0, 1].

    Parameters
    ----------
    folder : path, optional
        Where the IDX files are, plain or gzipped: train-images-idx3-ubyte and train-labels-idx1-ubyte,
        t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte; only those of the part are needed. Default: scikit-learn
        downloads the data from openml.org and stores them.
    part : {"train", "test", "all"}, default "train"
        60,000 images, the 10,000 others, or all in this order.

    Returns
    -------
    x : ndarray, shape (images, 784)
    labels : ndarray of 0 … 9, shape (images,)

    Raises
    ------
    FileNotFoundError
        If files are missing; the message names them.
    ValueError
        If a file is not an IDX file of unsigned bytes, is truncated, or does not match the other file.

    References
    ----------
    LeCun, Cortes & Burges, *The MNIST database of handwritten digits*.
    """
    if part not in _PARTS:
        raise ValueError(f"part must be one of {', '.join(map(repr, _PARTS))}; got {part!r}")
    if folder is None:
        return _from_openml(part)
    parts = [_from_files(Path(folder), prefix) for prefix in _PARTS[part]]
    return np.concatenate([x for x, _ in parts]), np.concatenate([labels for _, labels in parts])


def read_idx(path: Path | str) -> npt.NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes, plain or gzipped, with any file name.

    The file contains two zero bytes, the type 8, the number of dimensions, the sizes (four bytes each, most significant
    byte first), and the entries in C order.

    Raises
    ------
    ValueError
        If the file is anything else.
    """
    path = Path(path)
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} cannot be unpacked, perhaps it was cut off: {error}") from error
    if len(data) < 4 or data[:2] != b"\0\0":
        raise ValueError(f"{path} is no IDX file: it must begin with two zero bytes, got {data[:4]!r}")
    kind, dimensions = data[2], data[3]
    if kind != _UNSIGNED_BYTE:
        raise ValueError(f"{path} must hold unsigned bytes (type 8), got type {kind}")
    header = 4 + 4 * dimensions
    if len(data) < header:
        raise ValueError(f"{path} is cut off inside its header: {header} bytes announced, {len(data)} there")
    shape = tuple(map(int, np.frombuffer(data, ">u4", dimensions, offset=4)))
    if len(data) != header + math.prod(shape):
        sizes = "×".join(map(str, shape))
        raise ValueError(f"{path} must hold {sizes} = {math.prod(shape)} entries, got {len(data) - header}")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def _from_files(folder: Path, prefix: str) -> tuple[Array, Labels]:
    wanted = [f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"]
    found = [_existing(folder, name) for name in wanted]
    missing = [name for name, path in zip(wanted, found, strict=True) if path is None]
    images_path, labels_path = found
    if images_path is None or labels_path is None:
        why = "not found there" if folder.is_dir() else "there is no such folder"
        raise FileNotFoundError(f"put {' and '.join(missing)}, plain or .gz, into {folder}: {why}")
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3:
        raise ValueError(f"{images_path} must hold images, an array of 3 dimensions; got {images.ndim}")
    if labels.shape != (len(images),):
        raise ValueError(f"{labels_path} must hold {len(images)} labels, one for each image; got {labels.shape}")
    return images.reshape(len(images), -1) / 255.0, labels.astype(np.int64)


def _existing(folder: Path, name: str) -> Path | None:
    # both spellings are in use: train-images-idx3-ubyte, train-images.idx3-ubyte
    spellings = [name, name.replace("-idx", ".idx")]
    paths = [folder / (spelling + suffix) for spelling in spellings for suffix in ("", ".gz")]
    return next((path for path in paths if path.is_file()), None)


def _from_openml(part: str) -> tuple[Array, Labels]:
    try:
        # this parser does not require pandas
        x, labels = _scikit_learn().fetch_openml(
            "mnist_784", version=1, as_frame=False, return_X_y=True, parser="liac-arff"
        )
    except OSError as error:
        raise FileNotFoundError(
            f"openml.org could not be reached ({error}); download MNIST's IDX files and give their folder"
        ) from error
    rows = {"train": slice(_TRAINED_ON), "test": slice(_TRAINED_ON, None), "all": slice(None)}[part]
    return np.asarray(x[rows], dtype=np.float64) / 255.0, labels[rows].astype(np.int64)


def _scikit_learn() -> Any:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ImportError('these data come with scikit-learn: pip install "newtonkit[data]"') from error
    return datasets
