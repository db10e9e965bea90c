"""Export the rows of a store: CSV, JSON lines, Parquet, a pandas DataFrame."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from comparisons.core.serialization import StoredRow, json_text

_NOT_FINITE = ("nan", "inf", "-inf")
_TYPES = {bool: ("boolean", "bool_"), int: ("Int64", "int64"), float: ("float64", "float64"), str: ("object", "string")}
_LARGEST = 2**63  # the integers of a table have 64 bits


def columns(records: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The records as columns, one for each entry, in the order of their first appearance.

    An entry of a nested mapping has a name with a dot, ``counts.f``. Each column has one type: booleans, integers,
    floats ("nan" and "inf" of a record become numbers), or text; lists and mixed types become JSON. None if a record
    has no such entry.

    Parameters
    ----------
    records : iterable of mapping
        Of a store: `stored_records`.
    """
    found = [_flat(entries, "") for entries in records]
    names = dict.fromkeys(name for entries in found for name in entries)
    return {name: _of_one_type([entries.get(name) for entries in found]) for name in names}


def stored_records(rows: Iterable[StoredRow]) -> Iterator[dict[str, Any]]:
    """The records of a store, each with its key, time and identity."""
    for row in rows:
        yield {"key": row.key, "created": row.created} | dict(row.identity) | dict(row.record)


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


def to_frame(records: Iterable[Mapping[str, Any]]) -> Any:
    """The records as a pandas DataFrame, see `columns`.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    pandas = _extra("pandas", "a DataFrame")
    return pandas.DataFrame(
        {name: pandas.Series(values, dtype=_TYPES[_type(values)][0]) for name, values in columns(records).items()}
    )


def write_csv(rows: Iterable[StoredRow], path: Path) -> None:
    """Write a header and a line for each row; an entry that a row does not have is empty."""
    table = columns(stored_records(rows))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))


def write_jsonl(rows: Iterable[StoredRow], path: Path) -> None:
    """Write an object for each row, nested as stored; numbers that are not finite are the texts "nan", "inf"."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            entries = {"key": row.key, "created": row.created, "identity": row.identity, "record": row.record}
            file.write(json_text(entries) + "\n")


def write_parquet(rows: Iterable[StoredRow], path: Path) -> None:
    """Write the columns with their types.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    """
    arrow = _extra("pyarrow", "Parquet")
    parquet = _extra("pyarrow.parquet", "Parquet")
    table = {
        name: arrow.array(values, getattr(arrow, _TYPES[_type(values)][1])())
        for name, values in columns(stored_records(rows)).items()
    }
    parquet.write_table(arrow.table(table), path)


WRITERS: Mapping[str, Callable[[Iterable[StoredRow], Path], None]] = {
    ".csv": write_csv,
    ".jsonl": write_jsonl,
    ".parquet": write_parquet,
}


def export(rows: Iterable[StoredRow], path: str | Path) -> None:
    """Write the rows in the format given by the ending of the file name.

    Parameters
    ----------
    rows : iterable of StoredRow
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
        raise ImportError(f'{what} requires {module.partition(".")[0]}: pip install "newtonkit[tables]"') from error
