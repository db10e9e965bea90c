"""What calls with the same function share, for as long as the caller keeps the function."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from newtonkit.derivatives.autograd.tracing import trace_lock

T = TypeVar("T")

_MOST_KEYS = 16  # entries for one function


class SharedByFunction(Generic[T]):
    """A map of (function, key) to a value that refers to the function weakly.

    Bound methods of one object are one function, although each access makes a new object. Functions that are equal but
    not identical share nothing: one of them may end before the other.
    """

    def __init__(self) -> None:
        self._values: weakref.WeakKeyDictionary[Any, dict[Any, tuple[Callable[[], Any], T]]] = (
            weakref.WeakKeyDictionary()
        )

    def get(self, fun: Callable[..., Any], key: Hashable, make: Callable[[Callable[[], Any]], T]) -> T | None:
        """The value of an earlier call, or ``make(reference)``, where reference() is fun.

        None where fun cannot be referenced weakly, or it or the key is not hashable.
        """
        with trace_lock:
            try:
                reference: Callable[[], Any]
                if inspect.ismethod(fun):
                    owner, part, reference = fun.__self__, fun.__func__, weakref.WeakMethod(fun)
                else:
                    owner, part, reference = fun, None, weakref.ref(fun)
                by_key = self._values.setdefault(owner, {})
                full = (id(owner), part, key)
                known = by_key.get(full)
            except TypeError:
                return None
            if known is None or known[0]() is None:  # the id of an object that has ended may be given again
                if len(by_key) >= _MOST_KEYS:
                    by_key.clear()
                known = by_key[full] = reference, make(reference)
            return known[1]
