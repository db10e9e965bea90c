"""Run methods over problems, check them against scipy, and report.

From Python: ``comparisons.compare(problems=[…], methods=[…])``.
"""

from comparisons.comparison import Comparison, compare
from comparisons.endings import BeatenError
from comparisons.protocol import Protocol
from comparisons.records import Run
from comparisons.trace import Trace

__all__ = ["BeatenError", "Comparison", "Protocol", "Run", "Trace", "compare"]
