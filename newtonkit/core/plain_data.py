"""Values as plain data, for JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """The value as dicts, lists, strings, numbers, booleans and None.

    Numbers that are not finite become "nan", "inf" and "-inf", which `float` reads; dataclasses become dicts; an object
    of another type becomes its text.

    Examples
    --------
    >>> plain({"x": np.array([1.0, np.inf]), "n": np.int64(2)})
    {'x': [1.0, 'inf'], 'n': 2}
    """
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, np.generic)):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {entry.name: plain(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
    return str(value)
