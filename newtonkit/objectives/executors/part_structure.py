"""The structure of a part: an array, or a list, tuple or dict of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def entries_of(part: Any) -> tuple[tuple[Any, ...], Any]:
    """The entries of a part, and its structure: hashable, for `rebuilt`; anything else is its own entry."""
    if isinstance(part, dict):
        return tuple(part.values()), tuple(part)
    if type(part) in (list, tuple):
        return tuple(part), type(part)
    return (part,), None


def rebuilt(entries: Sequence[Any], structure: Any) -> Any:
    """A part of this structure with these entries."""
    if isinstance(structure, tuple):
        return dict(zip(structure, entries, strict=True))
    return entries[0] if structure is None else structure(entries)


def mapped(function: Callable[[Any], Any], part: Any) -> Any:
    """The part with function(entry) in place of each entry."""
    entries, structure = entries_of(part)
    return rebuilt([function(entry) for entry in entries], structure)


def arrays_of(part: Any) -> tuple[tuple[Any, ...], Any]:
    """The entries of a part as arrays, and its structure."""
    entries, structure = entries_of(part)
    return tuple(map(_as_array, entries)), structure


def size_of(entries: Sequence[Any]) -> int:
    """Bytes of the arrays."""
    return sum(getattr(entry, "nbytes", 0) for entry in entries)


def _as_array(entry: Any) -> Any:
    """A read-only array, as `newtonkit.train` passes them; what is not numeric stays as it is.

    An array whose memory is not aligned, as it may arrive from another process, is copied: numpy multiplies it by other
    loops, which round differently.
    """
    array = np.asarray(entry)
    if array.dtype.kind not in "fiub":
        return entry
    view = np.require(array, requirements="A").view()
    view.flags.writeable = False
    return view
