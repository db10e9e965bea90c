"""Arithmetic of traced arrays with pandas objects: a Series or DataFrame enters as its array."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from autograd.numpy.numpy_boxes import ArrayBox

_OPERATORS = ("add", "sub", "mul", "pow", "mod", "truediv", "matmul")
_COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
_PRIORITY = 5000  # above that of a DataFrame, 4000: pandas then leaves a binary operation to the other operand
_done = False


def support_pandas() -> None:
    """Let boxes accept pandas objects in binary operations; nothing until pandas has been imported.

    pandas leaves a binary operation to an operand with a higher ``__pandas_priority__``. The labels are ignored: the
    rows of all operands must be in the same order.
    """
    global _done
    if _done or "pandas" not in sys.modules:
        return
    _done = True
    ArrayBox.__pandas_priority__ = _PRIORITY
    for name in (*_OPERATORS, *(f"r{name}" for name in _OPERATORS), *_COMPARISONS):
        method = f"__{name}__"
        setattr(ArrayBox, method, _with_arrays(getattr(ArrayBox, method)))


def _with_arrays(operator: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def operate(x: Any, other: Any) -> Any:
        return operator(x, other.to_numpy() if hasattr(other, "__pandas_priority__") and _is_pandas(other) else other)

    return operate


def _is_pandas(other: Any) -> bool:
    return type(other).__module__.partition(".")[0] == "pandas"
