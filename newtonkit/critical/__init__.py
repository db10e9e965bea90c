"""Critical points: what kind of point is this? Decided by the eigenvalues of the Hessian."""

from newtonkit.critical.classify import classify
from newtonkit.critical.verdict import Verdict

__all__ = ["Verdict", "classify"]
