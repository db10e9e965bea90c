"""Run methods over problems, check them against scipy, and report.

From Python: ``comparisons.compare(problems=[…], methods=[…])``.
"""

from comparisons.api import Comparison, compare
from comparisons.core.endings import BeatenError
from comparisons.core.runs import Run
from comparisons.core.trace import Trace
from comparisons.running.protocol import Protocol

__all__ = ["BeatenError", "Comparison", "Protocol", "Run", "Trace", "compare"]
