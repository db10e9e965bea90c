"""Run methods over problems, check them against scipy, and report.

From Python: ``comparisons.compare(problems=[…], methods=[…])``.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comparisons.api import Comparison, compare
    from comparisons.core.reference import BelowReferenceError
    from comparisons.core.runs import Run
    from comparisons.core.trace import Trace
    from comparisons.running.own_problems import OwnProblem
    from comparisons.running.protocol import Protocol

_MODULES = {
    "BelowReferenceError": "comparisons.core.reference",
    "Comparison": "comparisons.api",
    "OwnProblem": "comparisons.running.own_problems",
    "Protocol": "comparisons.running.protocol",
    "Run": "comparisons.core.runs",
    "Trace": "comparisons.core.trace",
    "compare": "comparisons.api",
}

__all__ = ["BelowReferenceError", "Comparison", "OwnProblem", "Protocol", "Run", "Trace", "compare"]


def __getattr__(name: str) -> Any:
    # imported on use: the command line prints its help without numpy
    if name not in _MODULES:
        raise AttributeError(f"module 'comparisons' has no attribute {name!r}")
    _check_packages()
    return getattr(import_module(_MODULES[name]), name)


def _check_packages() -> None:
    """Raise ImportError if a module of the same name, such as a file next to a script, hides one of our packages."""
    for package in ("newtonkit", "problems"):
        spec = find_spec(package)
        if spec is None or spec.submodule_search_locations is None:
            place = "none was found" if spec is None else f"{spec.origin} hides it; rename that file"
            raise ImportError(f"comparisons requires the package {package!r}: {place}")


def __dir__() -> list[str]:
    return __all__
