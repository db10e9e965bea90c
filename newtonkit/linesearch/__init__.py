"""Line searches: `search(ray, alpha)` returns an acceptable step length, or None.

Every search is a frozen dataclass; the accepted trial is the ray's last one.
"""

from newtonkit.linesearch.backtracking import Backtracking
from newtonkit.linesearch.hager_zhang import HagerZhang
from newtonkit.linesearch.more_thuente import MoreThuente
from newtonkit.linesearch.ray import LineSearch, Ray

__all__ = ["Backtracking", "HagerZhang", "LineSearch", "MoreThuente", "Ray"]
