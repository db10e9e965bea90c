"""The functions that run on the workers of a dask cluster."""

from __future__ import annotations

import pickle
import threading
from collections import OrderedDict
from typing import Any, NamedTuple

from newtonkit.objectives.executors.dask_parts import part_of
from newtonkit.objectives.executors.partitions import Held, Recipe
from newtonkit.objectives.executors.terms import PartitionError, Request, Terms
from newtonkit.objectives.executors.tree_sum import Add
from newtonkit.objectives.executors.worker import error_message, group_message, make_terms

KEPT = 2
"""Definitions of which a worker keeps parts and compiled derivatives: that of a run, and one before. Our choice."""

_lock = threading.RLock()
_kept: OrderedDict[str, tuple[Terms, dict[int, Any]]] = OrderedDict()


class Bundle(NamedTuple):
    """The recipes of all parts of a task."""

    recipes: list[Recipe]


def same(value: Any) -> Any:
    """The value: as the result of a task, the scheduler can compute it again if the worker that holds it dies."""
    return value


def evaluate(definition: tuple[str, bytes], request: bytes, level: int, node: int, size: int, *parts: Any) -> bytes:
    """The pickled sum of a node of the tree, or the error of a partition."""
    first = node << level
    recipes = [recipe for part in parts for recipe in (part.recipes if isinstance(part, Bundle) else [_held(part)])]
    with _lock:
        try:
            terms, known = _terms_for(*definition)
        except Exception as error:  # a module that cannot be imported here, for instance
            text = f"partition {first}: the worker could not unpickle the loss: {type(error).__name__}: {error}"
            return error_message(PartitionError(text, first))
        known.update(enumerate(recipes, first))
        try:
            return group_message(terms, Request(*pickle.loads(request)), level, node, size)
        finally:
            known.clear()  # dask decides how long parts stay in memory


def _held(part: Any) -> Held:
    """The recipe of a part that dask has computed."""
    return Held(part_of(part))


def added(add: Add, first: bytes, second: bytes | None = None) -> bytes:
    """The pickled sum of two answers; the error of the first one that has one."""
    if second is None:
        return first
    (a, error), (b, other) = pickle.loads(first), pickle.loads(second)
    if error is not None:
        return first
    return second if other is not None else pickle.dumps((add(a, b), None), protocol=5)


def _terms_for(key: str, content: bytes) -> tuple[Terms, dict[int, Any]]:
    if key not in _kept:
        loss, weights, source, memory = pickle.loads(content)
        recipes: dict[int, Any] = {}
        _kept[key] = make_terms(loss, weights, source, memory, recipes), recipes
        if len(_kept) > KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return _kept[key]
