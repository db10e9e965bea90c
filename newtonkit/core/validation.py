"""Validation of arguments; each error names the argument, the value and the valid range."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Iterable
from numbers import Integral, Real

# the usual types first: a test for an abstract class takes ten times as long
_REAL = (float, int, Real)
_INTEGRAL = (int, Integral)


def nearest_name(name: str, valid: Iterable[str]) -> str:
    """Return a sentence with the valid name nearest to a misspelt one, or with all names if none is near.

    Examples
    --------
    >>> nearest_name("nwton", ["newton", "bfgs"])
    "did you mean 'newton'?"
    """
    names = sorted(valid)
    lower = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.lower(), list(lower), n=1, cutoff=0.6)
    if close:
        return f"did you mean {lower[close[0]]!r}?"
    return "valid names: " + ", ".join(names)


def check_real(
    name: str,
    value: object,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> None:
    """Raise unless ``value`` is a real number in [low, high]; ``open_low`` and ``open_high`` exclude an end.

    Raises
    ------
    TypeError
        If ``value`` is not a real number.
    ValueError
        If it is NaN or outside the range.
    """
    real = isinstance(value, _REAL) and not isinstance(value, bool)
    if real:
        number = float(value)  # type: ignore[arg-type]
        if (number > low if open_low else number >= low) and (number < high if open_high else number <= high):
            return
    expected = f"a number in {'(' if open_low else '['}{low:g}, {high:g}{')' if open_high else ']'}"
    raise (ValueError if real else TypeError)(f"{name} must be {expected}, got {value!r}")


def check_integer(name: str, value: object, low: int) -> None:
    """Raise unless ``value`` is an integer of at least ``low``.

    Raises
    ------
    TypeError
        If ``value`` is not an integer.
    ValueError
        If it is below ``low``.
    """
    if isinstance(value, bool) or not isinstance(value, _INTEGRAL):
        raise TypeError(f"{name} must be an integer of at least {low}, got {value!r}")
    if value < low:
        raise ValueError(f"{name} must be an integer of at least {low}, got {value!r}")


def check_choice(name: str, value: object, valid: Iterable[str]) -> None:
    """Raise unless ``value`` is one of the ``valid`` names.

    Raises
    ------
    ValueError
        With the nearest valid name.
    """
    names = list(valid)
    if value not in names:
        raise ValueError(f"{name}={value!r} is not known; {nearest_name(str(value), names)}")


def check_memory(needed: float, what: str, advice: str) -> None:
    """Raise ValueError if this many bytes exceed the memory of this machine: ``what`` takes so much; ``advice``."""
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # not a POSIX system
        return
    if needed > physical:
        raise ValueError(f"{what} takes {needed / 2**30:.0f} GB, and this machine has {physical / 2**30:.0f}; {advice}")
