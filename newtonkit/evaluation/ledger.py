"""The ledger of a run: what has been evaluated, for the method and for checks, and what the budget still allows."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from newtonkit.core.counts import UNLIMITED, Budget, Counts
from newtonkit.core.state import BudgetSpent
from newtonkit.core.termination import Termination, TerminationReason


class Ledger:
    """Counts evaluations and refuses those that would exceed the budget, before they are made.

    One evaluation of f is reserved for the plain call at the returned point, and one gradient for the comparison after
    the run, if the budget is finite and large enough.

    Parameters
    ----------
    budget : Budget, optional

    Attributes
    ----------
    counts, check_counts : Counts
        Evaluations for the method, and for checks; the same objects during the whole run.
    limited : bool
        Whether any limit of the budget is finite.
    """

    __slots__ = ("_current", "_reserved_f", "_reserved_g", "_started", "budget", "check_counts", "counts", "limited")

    def __init__(self, budget: Budget = UNLIMITED) -> None:
        self.budget = budget
        self.counts = Counts()
        self.check_counts = Counts()
        self.limited = budget != UNLIMITED
        self._current = self.counts
        self._reserved_f = 1 if 1 < budget.maxfev < math.inf else 0
        self._reserved_g = 1 if 2 < budget.maxgev < math.inf else 0
        self._started = time.perf_counter()

    def resume(self, counts: Counts, check_counts: Counts) -> None:
        """Continue from the counts of an earlier run."""
        for own, earlier in ((self.counts, counts), (self.check_counts, check_counts)):
            own.f, own.g, own.H, own.Hv = earlier.f, earlier.g, earlier.H, earlier.Hv

    def elapsed(self) -> float:
        """Return the seconds since the run began."""
        return time.perf_counter() - self._started

    @property
    def is_checking(self) -> bool:
        """Whether evaluations are counted as checks now."""
        return self._current is self.check_counts

    @contextmanager
    def checking(self) -> Iterator[None]:
        """Count evaluations made inside as checks."""
        before, self._current = self._current, self.check_counts
        try:
            yield
        finally:
            self._current = before

    # --- charges --------------------------------------------------------------------------------------------

    def charge(self, f: int = 0, g: int = 0, H: int = 0, Hv: int = 0) -> None:
        """Count evaluations that are about to be made.

        Raises
        ------
        BudgetSpent
            If they would exceed the budget; nothing is counted then.
        """
        if self.limited:
            self.require(f, g, H, Hv)
        self.add(f, g, H, Hv)

    def charge_value_and_gradient(self) -> None:
        """Count one f and one gradient, both or neither; the fast path of line searches."""
        if self.limited:
            self.require(1, 1)
        current = self._current
        current.f += 1
        current.g += 1

    def charge_check(self, f: int = 0, g: int = 0) -> None:
        """Count evaluations as checks; for a caller who knows that the budget allows them."""
        self.check_counts.f += f
        self.check_counts.g += g

    def add(self, f: int = 0, g: int = 0, H: int = 0, Hv: int = 0) -> None:
        """Count evaluations that `require` has allowed."""
        current = self._current
        current.f += f
        current.g += g
        current.H += H
        current.Hv += Hv

    def require(self, f: int = 0, g: int = 0, H: int = 0, Hv: int = 0) -> None:
        """Raise BudgetSpent if these evaluations would exceed the budget, or the time has run out."""
        if not self.limited:
            return
        budget, counts, checks = self.budget, self.counts, self.check_counts
        for requested, done, limit, reserved, kind in (
            (f, counts.f + checks.f, budget.maxfev, self._reserved_f, "f"),
            (g, counts.g + checks.g, budget.maxgev, self._reserved_g, "the gradient"),
            (H, counts.H + checks.H, budget.maxhev, 0, "the Hessian"),
            (Hv, counts.Hv + checks.Hv, budget.maxhvp, 0, "Hessian-vector products"),
        ):
            if requested and done + requested > limit - reserved:
                raise BudgetSpent(Termination(TerminationReason.EVALUATIONS, limit + 1, limit, kind))
        if budget.maxtime < math.inf and (seconds := self.elapsed()) > budget.maxtime:
            raise BudgetSpent(Termination(TerminationReason.TIME, seconds, budget.maxtime))

    def move_hessian_to_method(self) -> None:
        """Count one Hessian for the method that was counted as a check."""
        self.check_counts.H -= 1
        self.counts.H += 1

    # --- what is left ---------------------------------------------------------------------------------------

    def allows_f(self, count: int = 1) -> bool:
        """Whether the budget allows this many more evaluations of f, the reserved one excluded."""
        return self.counts.f + self.check_counts.f + count <= self.budget.maxfev - self._reserved_f

    def allows_g(self, count: int = 1) -> bool:
        """Whether the budget allows this many more gradients, the reserved one excluded."""
        return self.counts.g + self.check_counts.g + count <= self.budget.maxgev - self._reserved_g

    def release_f(self) -> None:
        """Release the reserved evaluation of f."""
        self._reserved_f = 0

    def release_g(self) -> None:
        """Release the reserved gradient."""
        self._reserved_g = 0
