"""How often all partitions were evaluated in a run, with the bytes and seconds that it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from newtonkit.objectives.executors.progress import Display


@dataclass
class Round:
    """Rounds of one kind."""

    count: int = 0
    seconds: float = 0.0
    bytes_sent: int = 0
    bytes_received: int = 0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Count one round, also if it fails, and the seconds that it takes."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.count += 1
            self.seconds += time.perf_counter() - began


@dataclass
class Rounds:
    """Rounds of a run: each evaluates one request for all partitions.

    Attributes
    ----------
    kinds : dict
        A `Round` for each kind: "plain" (f, by plain calls), "gradient" (f and ∇f), "linearization" (f, ∇f, and what
        products need), "product", "products" (∇²f·v for one and several v), "hessian"; "triangle" and "curvature" of
        least squares. "sampled product" and similar names are those of a sample of partitions, in this process.
    replaced_workers : int
        Worker processes that died and were replaced.
    display : Display, optional
        Shows the partitions that are done.
    """

    kinds: dict[str, Round] = field(default_factory=dict)
    replaced_workers: int = 0
    display: Display | None = field(default=None, repr=False, compare=False)

    def show(self, kind: str, done: int, size: int) -> None:
        """Show that a share of a round is done, if there is a display."""
        if self.display is not None:
            self.display.show(kind, self.total.count + 1, done / size)

    def of(self, kind: str) -> Round:
        """The rounds of a kind."""
        return self.kinds.setdefault(kind, Round())

    @property
    def total(self) -> Round:
        """All kinds together."""
        rounds = self.kinds.values()
        return Round(
            sum(r.count for r in rounds),
            sum(r.seconds for r in rounds),
            sum(r.bytes_sent for r in rounds),
            sum(r.bytes_received for r in rounds),
        )

    def __str__(self) -> str:
        lines = [f"{'round':<20} {'count':>6} {'seconds':>9} {'MB sent':>9} {'MB received':>12}"]
        for kind, r in [*self.kinds.items(), ("total", self.total)]:
            sent, received = r.bytes_sent / 1e6, r.bytes_received / 1e6
            lines.append(f"{kind:<20} {r.count:>6} {r.seconds:>9.3f} {sent:>9.3f} {received:>12.3f}")
        if self.replaced_workers:
            lines.append(f"{self.replaced_workers} worker processes died and were replaced")
        return "\n".join(lines)
