"""Data as arrays with one row per example, and the rows of the batch of each update."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class Data:
    """Arrays with equally many rows, and a function that puts such arrays back into the user's structure."""

    arrays: Arrays
    restore: Callable[[Sequence[Any]], Any]
    names: tuple[str, ...]

    @property
    def rows(self) -> int:
        """The number of examples."""
        return len(self.arrays[0])

    def take(self, rows: NDArray[np.int64]) -> Arrays:
        """Copies of these rows."""
        return tuple(array.take(rows, axis=0) for array in self.arrays)

    def non_finite_rows(self) -> str:
        """The entries that contain NaN or infinity, with the rows; an empty string if there are none."""
        found = []
        for name, array in zip(self.names, self.arrays, strict=True):
            bad = np.flatnonzero(~np.isfinite(array).reshape(self.rows, -1).all(axis=1))
            if bad.size:
                found.append(
                    f"{name} has values that are not finite in {bad.size} of {self.rows} rows, the first row {bad[0]}"
                )
        return " and ".join(found)


def as_data(data: Any, name: str = "data") -> Data:
    """The user's data: an array, or a tuple, list or dict of arrays with equally many rows.

    The arrays are not copied; they are passed on as read-only views.

    Raises
    ------
    TypeError
        If an entry does not hold numbers.
    ValueError
        If there are no rows, or if the numbers of rows differ.

    Examples
    --------
    >>> data = as_data({"x": np.zeros((3, 2)), "y": [0, 1, 1]})
    >>> data.restore(data.take(np.array([2])))
    {'x': array([[0., 0.]]), 'y': array([1])}
    """
    keys: list[Any] | None = None
    if isinstance(data, dict):
        keys = list(data)
        entries, names = list(data.values()), tuple(f"{name}[{key!r}]" for key in keys)
    elif isinstance(data, list | tuple):
        entries, names = list(data), tuple(f"{name}[{i}]" for i in range(len(data)))
    else:
        entries, names = [data], (name,)
    if not entries:
        raise ValueError(f"{name} must hold at least one array, got {data!r}")
    arrays = tuple(map(_rows_of_numbers, entries, names))
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        each = ", ".join(f"{entry} has {length}" for entry, length in zip(names, lengths, strict=True))
        raise ValueError(f"the arrays of {name} must have equally many rows, one for each example: {each}")
    if lengths[0] == 0:
        raise ValueError(f"{name} must have at least one row, got none")

    def restore(parts: Sequence[Any]) -> Any:
        if keys is not None:
            return dict(zip(keys, parts, strict=True))
        if isinstance(data, list | tuple):
            return list(parts) if isinstance(data, list) else tuple(parts)
        return parts[0]

    return Data(arrays, restore, names)


def as_validation(validation: Any, data: Any) -> Data:
    """Held-out data in the structure of the data; a dict may have its keys in another order.

    Raises
    ------
    ValueError
        If the structures differ.

    Examples
    --------
    >>> held_out = as_validation({"y": [1], "x": [[3.0]]}, {"x": np.zeros((2, 1)), "y": [0, 1]})
    >>> held_out.names
    ("validation['x']", "validation['y']")
    """
    wanted, got = _structure(data), _structure(validation)
    if wanted != got:
        raise ValueError(f"validation must have the structure of data, {wanted}; got {got}")
    if isinstance(data, dict):
        validation = {key: validation[key] for key in data}
    return as_data(validation, "validation")


def _structure(data: Any) -> str:
    if isinstance(data, dict):
        return f"a dict of {', '.join(sorted(map(repr, data)))}"
    return f"{len(data)} arrays" if isinstance(data, list | tuple) else "one array"


def _rows_of_numbers(entry: Any, name: str) -> NDArray[Any]:
    array = np.asarray(entry)
    if array.dtype.kind in "US":
        raise TypeError(
            f"{name} must hold numbers, got strings; number the classes: numpy.unique(labels, return_inverse=True)[1]"
        )
    if array.dtype.kind not in "fiub":
        hint = "; write it as a dense array" if hasattr(entry, "toarray") else ""
        raise TypeError(f"{name} must hold real numbers, got {type(entry).__name__} of dtype {array.dtype}{hint}")
    if array.ndim == 0:
        raise ValueError(
            f"{name} must be an array with one row for each example, got the number {entry!r}; "
            "a list stands for several arrays, so write a list of numbers as numpy.array([...])"
        )
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True)
class Sampling:
    """The rows of each update, as a pure function of the seed and the number of the update.

    Epoch e = 1, 2, … is drawn by ``numpy.random.default_rng((seed, e))``. Without replacement it is a permutation of
    the rows, divided into batches, the last of which may be smaller. With replacement it has the same number of
    batches, all of full size.

    Parameters
    ----------
    rows : int
        Number of rows of the data.
    batch_size : int or None
        None: all rows, in their order.
    replacement : bool
    seed : int
    """

    rows: int
    batch_size: int | None
    replacement: bool
    seed: int

    @property
    def full_batch(self) -> bool:
        """Whether every batch contains all data."""
        return self.batch_size is None

    @property
    def updates_per_epoch(self) -> int:
        """The number of batches in one pass over the data."""
        return 1 if self.batch_size is None else -(-self.rows // self.batch_size)

    def position(self, t: int) -> tuple[int, int]:
        """The epoch of update t, and the number of its batch in the epoch, both from 1."""
        epoch, batch = divmod(t - 1, self.updates_per_epoch)
        return epoch + 1, batch + 1

    def epoch(self, number: int) -> list[NDArray[np.int64]]:
        """The rows of every batch of an epoch."""
        assert self.batch_size is not None
        generator = np.random.default_rng((self.seed, number))
        if self.replacement:
            return list(generator.integers(self.rows, size=(self.updates_per_epoch, self.batch_size)))
        order = generator.permutation(self.rows)
        return [order[start : start + self.batch_size] for start in range(0, self.rows, self.batch_size)]
