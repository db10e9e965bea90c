"""The executors by name, and the executor of a dask client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from newtonkit.objectives.executors.dask_cluster import Dask
from newtonkit.objectives.executors.processes import Processes
from newtonkit.objectives.executors.serial import Executor, Serial

_EXECUTORS: dict[str, Callable[[], Executor]] = {"serial": Serial, "processes": Processes, "dask": Dask}


def as_executor(executor: Any) -> Executor:
    """The executor that a user has given.

    Raises
    ------
    ValueError
        If it is not one.
    """
    if isinstance(executor, str) and executor in _EXECUTORS:
        return _EXECUTORS[executor]()
    if hasattr(executor, "total"):
        own: Executor = executor
        return own
    if type(executor).__module__.partition(".")[0] == "distributed":
        return Dask(executor)
    names = ", ".join(map(repr, _EXECUTORS))
    raise ValueError(
        f"executor must be one of {names}, a dask client, or an executor such as newtonkit.Processes(2), "
        f"got {executor!r}"
    )
