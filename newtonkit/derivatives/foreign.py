"""What the sources that take derivatives from another library share."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from newtonkit.linalg.kernels import Matrix

BLOCK = 128
"""Directions in one block of a Hessian: that of the tape's blocks, `tape.batching.MAX_DIRECTIONS`."""


def import_package(name: str) -> Any:
    """Import JAX or PyTorch.

    Raises
    ------
    ImportError
        If it is not installed; the message names the extra.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"this requires the package {name}: pip install 'newtonkit[{name}]'") from error


def real_scalar(value: Any, library: str) -> Any:
    """The result of a user's function, an array or tensor of one float64 number.

    Raises
    ------
    TypeError
        If it is something else; the message states what to change.
    """
    if not hasattr(value, "dtype"):
        raise TypeError(f"fun must return one real number computed with {library}, got {value!r}")
    if value.size != 1 if library == "jax.numpy" else value.numel() != 1:
        raise TypeError(f"fun must return one real number, got an array of shape {tuple(value.shape)}")
    if str(value.dtype).rpartition(".")[2] != "float64":
        raise TypeError(
            f"fun must compute in float64, but returns {value.dtype}: give its data and parameters in float64"
        )
    return value


def flat_vector(value: Any) -> Any:
    """Residuals as one vector: a dict, list or tuple of arrays is concatenated, dicts by sorted keys.

    Raises
    ------
    TypeError
        If an entry is not a float64 array of JAX or PyTorch.
    """
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list | tuple):
        parts = [flat_vector(part) for part in value]
        is_tensor = hasattr(parts[0], "numel")
        module = import_package("torch") if is_tensor else import_module("jax.numpy")
        return module.cat(parts) if is_tensor else module.concatenate(parts)
    if str(getattr(value, "dtype", "")).rpartition(".")[2] != "float64":
        raise TypeError(f"fun must return float64 arrays of the library in derivatives=, got {value!r}")
    return value.reshape(-1)


def padded_products(products: Callable[[Matrix], Matrix], V: Matrix) -> Matrix:
    """Products with all rows of V; their number is filled up with zeros to a power of two, for few compilations."""
    k = len(V)
    if k == 0:
        return np.zeros_like(V)
    full = 1 << (k - 1).bit_length()
    return products(V if full == k else np.concatenate([V, np.zeros((full - k, V.shape[1]))]))[:k]


def hessian_in_blocks(products: Callable[[Matrix], Matrix], n: int) -> Matrix:
    """The matrix of a symmetric linear map from blocks of products, made exactly symmetric."""
    H = np.empty((n, n))
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        H[start:stop] = products(np.eye(stop - start, n, start))
    return 0.5 * (H + H.T)
