"""Columns of numbers from a text file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

Columns = dict[str, npt.NDArray[np.float64]]


def read_columns(path: Path) -> Columns:
    """The columns of a file, separated by commas, semicolons, tabs or spaces, by name.

    The first line may hold names; without it they are x, y for two columns, else x1, x2, …, y. Lines that begin with #
    are comments. Empty fields are NaN.

    Raises
    ------
    ValueError
        If a field is not a number, or rows have different lengths; with the number of the line.
    """
    lines = [
        (number, line)
        for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise ValueError(f"{path} holds no data")
    separator = next((mark for mark in ",;\t" if mark in lines[0][1]), None)
    rows = [(number, _fields(line, separator)) for number, line in lines]
    width = len(rows[0][1])
    named = not all(_is_number(field) for field in rows[0][1])
    names = rows.pop(0)[1] if named else _default_names(width)
    if len(set(names)) != width or not all(name.isidentifier() for name in names):
        raise ValueError(f"{path}: the names of the columns must be different identifiers, got {', '.join(names)}")
    values = np.empty((len(rows), width))
    for i, (number, fields) in enumerate(rows):
        if len(fields) != width:
            raise ValueError(f"{path}, line {number}: {len(fields)} fields, expected {width}")
        for j, field in enumerate(fields):
            if not _is_number(field):
                raise ValueError(f"{path}, line {number}: {field!r} is not a number")
            values[i, j] = float(field) if field else np.nan
    return {name: values[:, j].copy() for j, name in enumerate(names)}


def _fields(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    return [field.strip() for field in next(csv.reader([line], delimiter=separator))]


def _is_number(field: str) -> bool:
    try:
        float(field or "nan")
    except ValueError:
        return False
    return True


def _default_names(width: int) -> list[str]:
    if width == 1:
        raise ValueError("the file must have at least two columns: predictors and the response")
    return ["x", "y"] if width == 2 else [*(f"x{i + 1}" for i in range(width - 1)), "y"]
