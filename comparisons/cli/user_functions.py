"""Functions of the user on the command line: ``mymodule:f`` or ``folder/file.py:f``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np

from comparisons.running.own_problems import OwnProblem
from problems import Problem


def is_user_function(text: str) -> bool:
    """Whether the text names a function of a module and not a problem of the catalogue."""
    return ":" in text


def own_problem(text: str, x0: str | None) -> Problem:
    """The problem of a function and its start.

    Parameters
    ----------
    text : str
        "module:name", imported with the current folder on the path, or "path.py:name".
    x0 : str or None
        Numbers separated by commas. None: the attribute ``x0`` of the module.

    Raises
    ------
    ValueError
        If the module has no such function, or there is no start.
    """
    place, _, name = text.rpartition(":")
    module = _module(place)
    fun = getattr(module, name, None)
    if not callable(fun):
        raise ValueError(f"{place} has no function {name!r}")
    start = getattr(module, "x0", None) if x0 is None else _numbers(x0)
    if start is None:
        raise ValueError(f"give the start of {text} as --x0 1.5,2, or as x0 in the module")
    return OwnProblem(name, fun, start).problem()


def _module(place: str) -> Any:
    if not place.endswith(".py"):
        if "" not in sys.path:
            sys.path.insert(0, "")
        return importlib.import_module(place)
    path = Path(place)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.exists():
        raise FileNotFoundError(f"there is no file {place}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _numbers(text: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        return np.array([float(part) for part in text.replace(" ", ",").split(",") if part])
    except ValueError:
        raise ValueError(f"--x0 must be numbers separated by commas, got {text!r}") from None
