"""Export the rows of a store: CSV, JSON lines, Parquet, a pandas DataFrame; traces in a file of their own."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from comparisons.core.serialization import Row, json_text, plain

_NOT_FINITE = ("nan", "inf", "-inf")
_TYPES = {bool: ("boolean", "bool_"), int: ("Int64", "int64"), float: ("float64", "float64"), str: ("object", "string")}
_LARGEST = 2**63  # the integers of a table have 64 bits


def columns(rows: Iterable[Row]) -> dict[str, list[Any]]:
    """The rows as columns, one for each entry of a record, in the order of their first appearance.

    An entry of a nested mapping has a name with a dot, ``counts.f``. Each column has one type: booleans, integers,
    floats ("nan" and "inf" of a record become numbers), or text; lists and mixed types become JSON. None if a row has
    no such entry.

    Parameters
    ----------
    rows : iterable of Row
    """
    found = [
        _flat({"key": row.key, "created": row.created} | dict(row.identity) | dict(row.record), "") for row in rows
    ]
    names = dict.fromkeys(name for entries in found for name in entries)
    return {name: _of_one_type([entries.get(name) for entries in found]) for name in names}


def _flat(entries: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in entries.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


def _of_one_type(values: list[Any]) -> list[Any]:
    present = [value for value in values if value is not None]
    kinds = {float if isinstance(value, str) and value in _NOT_FINITE else type(value) for value in present}
    if kinds <= {bool}:
        return values
    if kinds <= {int, float} and all(abs(value) < _LARGEST for value in present if isinstance(value, int)):
        return values if kinds == {int} else [None if value is None else float(value) for value in values]
    return [value if value is None or isinstance(value, str) else json_text(value) for value in values]


def _type(values: list[Any]) -> type:
    return next((type(value) for value in values if value is not None), str)


def to_frame(rows: Iterable[Row]) -> Any:
    """The rows as a pandas DataFrame, see `columns`.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    pandas = _extra("pandas", "a DataFrame")
    return pandas.DataFrame(
        {name: pandas.Series(values, dtype=_TYPES[_type(values)][0]) for name, values in columns(rows).items()}
    )


def write_csv(rows: Iterable[Row], path: Path) -> None:
    """Write a header and a line for each row; an entry that a row does not have is empty."""
    table = columns(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))


def write_jsonl(rows: Iterable[Row], path: Path) -> None:
    """Write an object for each row, nested as stored; numbers that are not finite are the texts "nan", "inf"."""
    _write_lines(
        ({"key": row.key, "created": row.created, "identity": row.identity, "record": row.record} for row in rows), path
    )


def write_parquet(rows: Iterable[Row], path: Path) -> None:
    """Write the columns with their types.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    """
    arrow = _extra("pyarrow", "Parquet")
    parquet = _extra("pyarrow.parquet", "Parquet")
    table = {
        name: arrow.array(values, getattr(arrow, _TYPES[_type(values)][1])()) for name, values in columns(rows).items()
    }
    parquet.write_table(arrow.table(table), path)


def write_traces(rows: Iterable[Row], path: Path) -> None:
    """Write the traces as JSON lines: an object for each row, with its key and its arrays as lists."""
    _write_lines(
        (
            {"key": row.key, "arrays": {name: plain(array.tolist()) for name, array in row.arrays.items()}}
            for row in rows
        ),
        path,
    )


def _write_lines(objects: Iterable[Mapping[str, Any]], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for entries in objects:
            file.write(json_text(entries) + "\n")


WRITERS: Mapping[str, Callable[[Iterable[Row], Path], None]] = {
    ".csv": write_csv,
    ".jsonl": write_jsonl,
    ".parquet": write_parquet,
}


def export(rows: Iterable[Row], path: str | Path) -> None:
    """Write the rows in the format given by the ending of the file name.

    Parameters
    ----------
    rows : iterable of Row
        ``store.rows()``.
    path : path
        Ending in .csv, .jsonl or .parquet.

    Raises
    ------
    ValueError
        For any other ending.
    ImportError
        For Parquet, if pyarrow is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in WRITERS:
        raise ValueError(f"the name of the file must end in one of {', '.join(WRITERS)}, got {path.name!r}")
    WRITERS[path.suffix.lower()](rows, path)


def _extra(module: str, what: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f'{what} needs {module.partition(".")[0]}: pip install "newtonkit[tables]"') from error
