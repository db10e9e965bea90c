"""Structured parameters: a dict, list or tuple of arrays as one flat vector, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from autograd.tracer import isbox
from scipy.optimize import OptimizeResult

from newtonkit.linalg.kernels import Vector

Unflatten = Callable[[Any], Any]


def flatten(x0: Any, name: str = "x0") -> tuple[Vector, Unflatten]:
    """The entries of ``x0`` as one float64 vector, and the function that restores its structure.

    Parameters
    ----------
    x0 : array_like, or a dict, list or tuple of them
        A result of scipy or of this library stands for its ``x``.
        Numbers, and lists or tuples (of lists or tuples) of numbers only, are converted by ``numpy.asarray``.
        A number becomes a vector of length 1, as in scipy. An array keeps its shape. A dict, a named tuple, and a list
        or tuple that contains an array or a dict, keeps its structure; a number in it stays a number, every other leaf
        becomes a float64 array. The entries of a dict are taken in the order of the sorted keys.
    name : str, default "x0"
        The name in error messages.

    Returns
    -------
    vector : ndarray of float64, shape (n,)
        A copy: it shares no memory with ``x0``.
    unflatten : callable
        Traceable by autograd.

    Raises
    ------
    TypeError
        If a leaf is not real: complex numbers, strings, None.
    ValueError
        If there is no entry.

    Examples
    --------
    >>> vector, unflatten = flatten({"w": np.zeros((2, 2)), "b": 1.0})
    >>> vector.shape, unflatten(vector)["w"].shape
    ((5,), (2, 2))
    >>> float(unflatten(vector)["b"])
    1.0
    """
    if isinstance(x0, OptimizeResult):
        x0 = x0.x
    if isbox(x0):  # an array of autograd, already float: the caller is being differentiated
        return (x0, _identity) if x0.ndim == 1 else (x0.reshape(-1), _reshaping(x0.shape))
    tree = _with_float_leaves(x0, name)
    if isinstance(tree, np.ndarray):
        tree = np.atleast_1d(tree)
    if not _has_entries(tree):
        raise ValueError(f"{name} must hold at least one number, got {x0!r}")
    if isinstance(tree, np.ndarray):
        return tree.reshape(-1).copy(), _identity if tree.ndim == 1 else _reshaping(tree.shape)
    leaves: list[Vector] = []
    unflatten, _ = _unflattener(tree, leaves, 0)
    return np.concatenate([leaf.reshape(-1) for leaf in leaves]), unflatten


def _unflattener(tree: Any, leaves: list[Vector], start: int) -> tuple[Unflatten, int]:
    """A function that builds the tree from a vector that holds its leaves from ``start`` on, and the end position.

    The leaves are appended to ``leaves``.
    """
    if isinstance(tree, np.ndarray):
        leaves.append(tree)
        stop, shape = start + tree.size, tree.shape
        if tree.ndim == 0:
            return lambda v: v[start], stop
        if tree.ndim == 1:
            return lambda v: v[start:stop], stop
        return lambda v: v[start:stop].reshape(shape), stop
    stop = start
    if isinstance(tree, dict):
        named = {}
        for key in sorted(tree):  # equal dicts give equal vectors, whatever their order of insertion
            named[key], stop = _unflattener(tree[key], leaves, stop)
        return lambda v: {key: named[key](v) for key in tree}, stop
    parts = []
    for leaf in tree:
        part, stop = _unflattener(leaf, leaves, stop)
        parts.append(part)
    if is_named_tuple(tree):
        return lambda v: type(tree)(*(part(v) for part in parts)), stop
    if isinstance(tree, tuple):
        return lambda v: tuple(part(v) for part in parts), stop
    return lambda v: [part(v) for part in parts], stop


def _reshaping(shape: tuple[int, ...]) -> Unflatten:
    return lambda v: v.reshape(shape)


def is_named_tuple(value: Any) -> bool:
    """Whether a value is a `collections.namedtuple` or a `typing.NamedTuple`."""
    return isinstance(value, tuple) and hasattr(value, "_fields")


def leaf_shapes(x0: Any) -> tuple[tuple[int, ...], ...]:
    """The shapes of the leaves of structured parameters, in the order in which `flatten` concatenates them.

    Examples
    --------
    >>> leaf_shapes({"W": np.zeros((3, 2)), "b": np.zeros(2)})
    ((3, 2), (2,))
    """
    tree = _with_float_leaves(x0, "params")
    if isinstance(tree, np.ndarray):
        return (np.atleast_1d(tree).shape,)
    leaves: list[Vector] = []
    _unflattener(tree, leaves, 0)
    return tuple(leaf.shape for leaf in leaves)


def structure(x0: Any) -> Any:
    """A hashable description of the structure that `flatten` restores: equal only for equal structures."""
    if isinstance(x0, OptimizeResult):
        x0 = x0.x
    if isbox(x0):
        return "array", x0.shape
    if isinstance(x0, dict):
        return "dict", tuple((key, structure(x0[key])) for key in x0)
    if isinstance(x0, list | tuple) and not _is_numbers_only(x0):
        return type(x0) if is_named_tuple(x0) else type(x0).__name__, tuple(map(structure, x0))
    return "array", np.shape(x0)


def is_plain_vector(unflatten: Unflatten) -> bool:
    """Whether the structure is a one-dimensional array, so that nothing has to be restored."""
    return unflatten is _identity


def is_input(arg: Any) -> bool:
    """Whether an argument is a runtime input of a tape: a float, or an array of numbers."""
    return isinstance(arg, float | np.ndarray) and np.asarray(arg).dtype.kind in "fiub"


def _identity(vector: Any) -> Any:
    return vector


def _with_float_leaves(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _with_float_leaves(leaf, f"{name}[{key!r}]") for key, leaf in value.items()}
    if isinstance(value, list | tuple) and not _is_numbers_only(value):
        leaves = [_with_float_leaves(leaf, f"{name}[{i}]") for i, leaf in enumerate(value)]
        if is_named_tuple(value):
            return type(value)(*leaves)
        return leaves if isinstance(value, list) else tuple(leaves)
    array = np.asarray(value)
    if array.dtype.kind not in "iufb":
        raise TypeError(f"{name} must hold real numbers, got {_described(value, array)}")
    return np.asarray(array, dtype=np.float64)


def _is_numbers_only(value: Any) -> bool:
    if is_named_tuple(value):
        return False
    if isinstance(value, list | tuple):
        return all(_is_numbers_only(entry) for entry in value)
    return bool(np.isscalar(value))


def _has_entries(tree: Any) -> bool:
    if isinstance(tree, np.ndarray):
        return tree.size > 0
    return any(_has_entries(leaf) for leaf in (tree.values() if isinstance(tree, dict) else tree))


def _described(value: Any, array: Any) -> str:
    return f"complex numbers: {value!r}" if array.dtype.kind == "c" else f"{type(value).__name__}: {value!r}"
