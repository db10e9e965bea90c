"""Critical points: what kind of point is this, and which are there in a box?"""

from newtonkit.critical.classify import classify
from newtonkit.critical.find import find_critical_points
from newtonkit.critical.points import CriticalPoint, CriticalPoints
from newtonkit.critical.verdict import Verdict

__all__ = ["CriticalPoint", "CriticalPoints", "Verdict", "classify", "find_critical_points"]
