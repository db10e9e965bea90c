"""Partitions of data: recipes that load one part each, in this process or in another one."""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

CHUNK_BYTES = 1 << 24
"""Bytes of a chunk into which arrays are cut by default. Our choice: 2 ms of reading, far above the overhead of a call,
and a few chunks fit into any memory."""

_keys = count()


class FileRows(NamedTuple):
    """Rows of an array in a file, read without mapping it, so that memory holds these rows only."""

    filename: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int
    """Bytes before the first of these rows."""

    def load(self) -> NDArray[Any]:
        """Read the rows."""
        array = np.fromfile(self.filename, dtype=self.dtype, count=math.prod(self.shape), offset=self.offset)
        return array.reshape(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the rows."""
        return math.prod(self.shape) * self.dtype.itemsize


class Held(NamedTuple):
    """A part in memory; entries that lie in a file are read when it is loaded."""

    part: Any

    def load(self) -> Any:
        """The part."""
        return _map(lambda entry: entry.load() if isinstance(entry, FileRows) else entry, self.part)

    @property
    def in_memory(self) -> bool:
        """Whether loading reads no file."""
        found: list[bool] = []
        _map(lambda entry: found.append(isinstance(entry, FileRows)), self.part)
        return not any(found)


class Loader(NamedTuple):
    """A part that a function of the user loads."""

    function: Callable[[], Any]

    def load(self) -> Any:
        """The part that the function returns."""
        return self.function()

    @property
    def in_memory(self) -> bool:
        """False: the function may read files."""
        return False


class Partitions:
    """The recipes, by index; ``key`` is different for every object of a process."""

    def __init__(self, recipes: Sequence[Held | Loader]) -> None:
        self.recipes = list(recipes)
        self.key = next(_keys)

    def __len__(self) -> int:
        return len(self.recipes)


def as_partitions(partitions: Any, chunk: int | None = None) -> Partitions:
    """The recipes of a user's partitions.

    Parameters
    ----------
    partitions : list, or array, tuple of arrays or dict of arrays
        A list holds one entry per partition: a part, or a function without arguments that returns one. Anything else
        is data with one row per example, which is cut into chunks of rows.
    chunk : int, at least 1, optional
        Rows of a chunk; by default as many as take 16 MiB, which depends on shapes and dtypes only.

    Raises
    ------
    TypeError, ValueError
        If there is nothing in it, or if the arrays have different numbers of rows.

    Examples
    --------
    >>> partitions = as_partitions((np.zeros((5, 2)), np.arange(5)), chunk=2)
    >>> [len(recipe.load()[1]) for recipe in partitions.recipes]
    [2, 2, 1]
    """
    if isinstance(partitions, Partitions):
        return partitions
    if isinstance(partitions, list):
        if not partitions:
            raise ValueError("partitions must hold at least one part, got an empty list")
        if chunk is not None:
            raise ValueError("chunk is for arrays that are cut into partitions; partitions is a list of parts already")
        return Partitions([Loader(entry) if callable(entry) else Held(_in_files(entry)) for entry in partitions])
    if not isinstance(partitions, np.ndarray | tuple | dict):
        raise TypeError(
            "partitions must be a list of parts or of functions that load one, or arrays to cut (an array, or a tuple "
            f"or dict of arrays), got {partitions!r}"
        )
    return Partitions([Held(part) for part in _cut(partitions, chunk)])


def arrays_of(part: Any) -> tuple[tuple[Any, ...], Any]:
    """The entries of a part as arrays, and its structure: hashable, for `rebuilt`; an opaque part is its own entry."""
    if isinstance(part, dict):
        return tuple(map(_as_array, part.values())), tuple(part)
    if type(part) in (list, tuple):
        return tuple(map(_as_array, part)), type(part)
    return (_as_array(part),), None


def rebuilt(entries: Sequence[Any], structure: Any) -> Any:
    """A part of this structure with these entries."""
    if isinstance(structure, tuple):
        return dict(zip(structure, entries, strict=True))
    return entries[0] if structure is None else structure(entries)


def size_of(entries: Sequence[Any]) -> int:
    """Bytes of the arrays."""
    return sum(getattr(entry, "nbytes", 0) for entry in entries)


def _cut(data: Any, chunk: int | None) -> Iterator[Any]:
    entries = list(data.values() if isinstance(data, dict) else data if isinstance(data, tuple) else [data])
    arrays = [entry if isinstance(entry, np.ndarray) else np.asarray(entry) for entry in entries]
    rows = {len(array) if array.ndim else 0 for array in arrays}
    if len(rows) != 1 or rows == {0}:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(f"arrays to cut into partitions must have equally many rows, at least one, got {shapes}")
    (total,) = rows
    if chunk is None:
        chunk = max(1, CHUNK_BYTES * total // max(1, sum(array.nbytes for array in arrays)))
    for start in range(0, total, chunk):
        stop = min(start + chunk, total)
        parts = [_rows(array, start, stop) for array in arrays]
        yield rebuilt(parts, tuple(data) if isinstance(data, dict) else tuple if isinstance(data, tuple) else None)


def _rows(array: NDArray[Any], start: int, stop: int) -> Any:
    """Rows of an array as a read-only view, or as a recipe if it is a memory-mapped file."""
    base: Any = array.base
    if isinstance(array, np.memmap) and isinstance(base, mmap.mmap) and array.flags.c_contiguous:
        row = array.strides[0]
        name = str(array.filename)
        return FileRows(name, array.dtype, (stop - start, *array.shape[1:]), int(array.offset) + start * row)
    view = np.asarray(array)[start:stop]
    view.flags.writeable = False
    return view


def _in_files(part: Any) -> Any:
    """A part with memory-mapped arrays replaced by recipes."""
    return _map(lambda entry: _rows(entry, 0, len(entry)) if isinstance(entry, np.memmap) else entry, part)


def _map(function: Callable[[Any], Any], part: Any) -> Any:
    if isinstance(part, dict):
        return {key: function(entry) for key, entry in part.items()}
    return type(part)(map(function, part)) if type(part) in (list, tuple) else function(part)


def _as_array(entry: Any) -> Any:
    """A read-only array, as `newtonkit.train` passes them; what is not numeric stays as it is."""
    array = np.asarray(entry)
    if array.dtype.kind not in "fiub":
        return entry
    view = array.view()
    view.flags.writeable = False
    return view
