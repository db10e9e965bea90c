"""Bootstrap intervals: resamples of problems, and of the starts of each problem.

Every resample draws problems with replacement, and for each of them starts with replacement: runs from several starts
of one problem resemble each other, and must not count as independent problems. All methods use the same resample, so
that the interval of a difference is narrower than those of its terms (the bootstrap is *paired*).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from comparisons.core.prices import Instance
from comparisons.scores.profiles import Profile

Vector = NDArray[np.float64]

TIMES = 1000
LEVEL = 0.95


def resamples(instances: Sequence[Instance], times: int = TIMES, seed: int = 0) -> NDArray[np.int64]:
    """Draw resamples: how often each instance occurs in each of them.

    Parameters
    ----------
    instances : sequence of Instance
        At least one.
    times : int, positive, default 1000
        Resamples.
    seed : int, default 0

    Returns
    -------
    ndarray, shape (times, instances)
        A problem that is drawn twice has its starts drawn again each time.
    """
    if times < 1:
        raise ValueError(f"times must be a positive number of resamples, got {times}")
    return _drawn(tuple(instances), times, seed)


@lru_cache(maxsize=8)  # a figure and its caption use the same resamples
def _drawn(instances: tuple[Instance, ...], times: int, seed: int) -> NDArray[np.int64]:
    rng = np.random.default_rng(seed)
    members: dict[str, list[int]] = {}
    for i, instance in enumerate(instances):
        members.setdefault(instance.problem, []).append(i)
    starts = list(members.values())
    drawn = np.zeros((times, len(instances)), dtype=np.int64)
    problems = rng.integers(len(starts), size=(times, len(starts)))
    for row, chosen in zip(drawn, problems, strict=True):
        for problem in chosen:
            here = starts[problem]
            np.add.at(row, [here[k] for k in rng.integers(len(here), size=len(here))], 1)
    drawn.setflags(write=False)
    return drawn


def interval(values: Vector, level: float = LEVEL) -> tuple[float, float]:
    """The percentile interval of a statistic over its resamples; infinite values are allowed.

    Examples
    --------
    >>> interval(np.arange(1.0, 101.0), level=0.9)
    (5.0, 96.0)
    """
    # order statistics without interpolation, since a mean with infinity is infinite
    ordered = np.sort(values)
    cut = int((1.0 - level) / 2.0 * ordered.size)
    return float(ordered[cut]), float(ordered[-1 - cut])


def band(
    profile: Profile, method: str, at: Vector, drawn: NDArray[np.int64], level: float = LEVEL
) -> tuple[Vector, Vector]:
    """The pointwise bootstrap band of the curve of a method.

    Parameters
    ----------
    profile : Profile
    method : str
    at : ndarray
        Points on the axis of the profile.
    drawn : ndarray, shape (times, instances)
        By `resamples`, of the instances of the profile.
    level : float in (0, 1), default 0.95
    """
    column = profile.values[:, profile.methods.index(method)]
    below = (column[:, None] <= at[None, :]).astype(np.float64)
    shares = (drawn @ below) / drawn.sum(axis=1, keepdims=True)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(shares, [tail, 1.0 - tail], axis=0)
    return low, high
