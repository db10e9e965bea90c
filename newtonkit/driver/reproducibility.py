"""Whether values of f at one point agree: exactly, up to noise that can be reported, or not at all."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from newtonkit.linalg.kernels import EPS

REPEATS = 5
"""Further values at the point to be returned if the first two differ; our choice."""
_SAME_VALUE = 1e-8  # relative difference that the rounding of a tape and of a plain call explains; measured: 1e-10
_NOISE = 1e-3  # relative difference from which fun is considered nondeterministic; our choice
_NOISE_OF_START = 1e-8  # the same relative to |f| at the start: near f = 0 noise need not be small relative to f


def is_same(value: float, f: float, f_start: float) -> bool:
    """Return whether two values at one point agree up to rounding.

    Near f = 0 the terms that cancel are as large as f was at the start, and a tape may round them differently.
    """
    return value == f or abs(value - f) <= _SAME_VALUE * abs(f) + 10 * EPS * _size(f_start)


def noise_of(values: Sequence[float], f: float, f_start: float) -> float:
    """Return the standard deviation of repeated values at one point; infinite if noise does not explain them.

    Noise explains at least half of the values, and these differ from f by less than 1e-3 of it. Values that only rise,
    or only fall, from call to call depend on the call.
    """
    allowed = _NOISE * abs(f) + _NOISE_OF_START * _size(f_start)
    near = [value for value in values if abs(value - f) <= allowed]
    if 2 * len(near) < len(values) or not near:
        return math.inf
    steps = np.diff([f, *near])
    if len(near) > 2 and ((steps > 0.0).all() or (steps < 0.0).all()):
        return math.inf
    return max(float(np.std([f, *near])), EPS * abs(f))


def noise_sentence(noise: float, f: float) -> str:
    """Return a clause that reports the noise."""
    if abs(f) > noise:
        return f"f carries relative noise of about {noise / abs(f):.0e}"
    return f"f carries noise of about {noise:.0e}"


def _size(f: float) -> float:
    return abs(f) if math.isfinite(f) else 0.0
