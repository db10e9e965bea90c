"""Parquet files as partitions: one for each row group."""

from __future__ import annotations

from glob import glob
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class ParquetRows(NamedTuple):
    """A row group of a file. The part is a dict of its columns; a column of lists of one length is a matrix."""

    filename: str
    group: int

    def load(self) -> dict[str, NDArray[Any]]:
        """Read the row group."""
        table = _parquet().ParquetFile(self.filename).read_row_group(self.group)
        return {name: _as_array(table.column(name).combine_chunks()) for name in table.column_names}

    @property
    def in_memory(self) -> bool:
        """False."""
        return False


def is_parquet(value: Any) -> bool:
    """Whether a value is the name of a Parquet file, or a pattern of names."""
    return isinstance(value, str | Path) and str(value).endswith((".parquet", ".pq"))


def row_groups(pattern: str | Path) -> list[ParquetRows]:
    """The row groups of all files whose names match a pattern, in the order of the names.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If pyarrow is not installed; the message names the extra.
    """
    names = sorted(glob(str(pattern)))
    if not names:
        raise FileNotFoundError(f"partitions: no file matches {str(pattern)!r}")
    found = []
    for name in names:
        with _parquet().ParquetFile(name) as file:
            found += [ParquetRows(str(Path(name).absolute()), group) for group in range(file.num_row_groups)]
    return found


def _as_array(column: Any) -> NDArray[Any]:
    if hasattr(column, "flatten") and "list" in str(column.type):
        return np.asarray(column.flatten().to_numpy(zero_copy_only=False)).reshape(len(column), -1)
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError("Parquet files require the package pyarrow: pip install 'newtonkit[parquet]'") from error
    return pyarrow.parquet
