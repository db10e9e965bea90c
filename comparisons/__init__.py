"""Run methods over problems, check them against scipy, and report.

From Python: ``comparisons.compare(problems=[…], methods=[…])``.
"""

from comparisons.comparison import Comparison, compare
from comparisons.running.endings import BeatenError
from comparisons.running.protocol import Protocol
from comparisons.running.records import Run
from comparisons.running.trace import Trace

__all__ = ["BeatenError", "Comparison", "Protocol", "Run", "Trace", "compare"]
