"""Partitions of data: recipes that load one part each, in this process or in another one."""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from newtonkit.objectives.executors.dask_parts import Computed, blocks_of, is_collection, is_delayed
from newtonkit.objectives.executors.parquet import is_parquet, row_groups
from newtonkit.objectives.executors.part_structure import entries_of, mapped, rebuilt, size_of

CHUNK_BYTES = 1 << 20
"""Bytes of a chunk into which arrays are cut by default: intermediate results stay in the cache. A Hessian of logistic
regression with n = 50, 100, 300 takes 1.8, 2.3, 2.0 times as long with chunks of 16 MiB; chunks of 256 KiB are slower
again by the overhead of calls (measured)."""

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
        return mapped(lambda entry: entry.load() if isinstance(entry, FileRows) else entry, self.part)

    @property
    def in_memory(self) -> bool:
        """Whether loading reads no file."""
        return not any(isinstance(entry, FileRows) for entry in entries_of(self.part)[0])

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays in memory."""
        return size_of([entry for entry in entries_of(self.part)[0] if not isinstance(entry, FileRows)])


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


class Recipe(Protocol):
    """How a part is loaded."""

    def load(self) -> Any:
        """The part."""

    @property
    def in_memory(self) -> bool:
        """Whether loading takes no time and no memory."""


class Partitions:
    """Data in parts, each of which is loaded when it is needed; made by `newtonkit.as_partitions`.

    Attributes
    ----------
    recipes : list
        ``recipes[i].load()`` returns part i.
    key : int
        Different for every object of a process.
    """

    def __init__(self, recipes: Sequence[Recipe]) -> None:
        self.recipes = list(recipes)
        self.key = next(_keys)

    def __len__(self) -> int:
        return len(self.recipes)

    def __repr__(self) -> str:
        return f"<Partitions: {len(self)} parts>"


def as_partitions(data: Any, chunk: int | None = None) -> Partitions:
    """Data in parts, for `newtonkit.FiniteSum` and `newtonkit.train`.

    Parameters
    ----------
    data : list, arrays, str, or a collection of dask
        - A list holds one entry per partition: a part (an array, or a tuple or dict of arrays); a function without
          arguments that returns a part; or a delayed value of dask.
        - An array, or a tuple or dict of arrays with one row per example, is cut into chunks of rows. A chunk of a
          `numpy.memmap` is read from its file when it is needed.
        - A dask array, a tuple or dict of them: one partition per block of rows. A dask data frame: one per partition
          of it; the part is a dict of columns.
        - The name of a Parquet file, a pattern such as ``"data/*.parquet"``, or a list of them: one partition per row
          group; the part is a dict of columns. Requires pyarrow.
    chunk : int, at least 1, optional
        Rows of a chunk; by default as many as take 1 MiB, which depends on shapes and dtypes only. For dask arrays the
        default is their own blocks.

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
    if isinstance(data, Partitions):
        return data
    if is_parquet(data):
        data = [data]
    if isinstance(data, list):
        if not data:
            raise ValueError("partitions must hold at least one part, got an empty list")
        if chunk is not None:
            raise ValueError("chunk is for arrays that are cut into partitions; partitions is a list of parts already")
        return Partitions([recipe for entry in data for recipe in _recipes(entry)])
    if is_collection(data) and not is_delayed(data):
        return Partitions(blocks_of(data, chunk))
    if not isinstance(data, np.ndarray | tuple | dict):
        raise TypeError(
            "partitions must be a list of parts or of functions that load one, arrays to cut (an array, or a tuple or "
            f"dict of arrays), a dask array or data frame, or names of Parquet files, got {data!r}"
        )
    return Partitions([Held(part) for part in _cut(data, chunk)])


def _recipes(entry: Any) -> Sequence[Recipe]:
    """The recipes of one entry of a list."""
    if is_delayed(entry):
        return [Computed(entry)]
    if is_parquet(entry):
        return row_groups(entry)
    return [Loader(entry) if callable(entry) else Held(_in_files(entry))]


def _cut(data: Any, chunk: int | None) -> Iterator[Any]:
    entries, structure = entries_of(data)
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
        yield rebuilt([_rows(array, start, stop) for array in arrays], structure)


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
    return mapped(lambda entry: _rows(entry, 0, len(entry)) if isinstance(entry, np.memmap) else entry, part)
