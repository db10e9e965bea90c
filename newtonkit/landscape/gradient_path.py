"""Paths of steepest descent: solutions of ẋ = −∇f(x), one point at a time.

Near a saddle and in a curved valley the flow is stiff: eigenvalues of the Hessian differ by orders of magnitude. An
exponential integrator solves the linear part of each step exactly, so that its steps are as long as the path is
smooth, and on a quadratic f it makes no error at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Vector, all_finite, eigh, norm

# ‖s₃ − s₂‖/‖s₂‖, the error of s₂: with s₃ whole paths then deviate by 1e-5 (Müller-Brown) to 5e-5 (Rosenbrock), with a
# tenth of it by as little in three to five times as many steps (our measurement)
_TOLERANCE = 1e-2
_LARGEST_CHANGE, _SAFETY = 5.0, 0.9  # of step size control; Hairer, Nørsett & Wanner (1993), (II.4.13)
_LARGEST = float(np.finfo(np.float64).max)
_FAILED = 0.1  # as line searches shrink a step to where nothing is finite


def gradient_flow(evaluator: Evaluator, x: Vector, unit: Vector, longest: float) -> Iterator[Vector]:
    """Points on the path of steepest descent from x, without end unless it comes to rest.

    One step of time τ from x, with g = ∇f(x), H = ∇²f(x), φ₁(z) = (eᶻ − 1)/z and
    φ₃(z) = (eᶻ − 1 − z − z²/2)/z³, is s₂ = −τ φ₁(−τH) g, exact for the quadratic model, and from what the model
    misses at its end s₃ = s₂ − 2τ φ₃(−τH) (∇f(x + s₂) − g − Hs₂), of order three; ‖s₃ − s₂‖ controls τ.

    Parameters
    ----------
    evaluator : Evaluator
    x : ndarray, shape (n,)
        Where it starts; not yielded.
    unit : ndarray, shape (n,)
        Lengths that count as equal: steepest in the metric of x/unit.
    longest : float
        No step is longer, in the same metric.

    Yields
    ------
    ndarray, shape (n,)

    Notes
    -----
    It ends where a step no longer changes x: at rest, or where the derivatives are not finite however short it is.
    A step costs two gradients, a Hessian and its eigenvectors.

    References
    ----------
    Hochbruck, Ostermann & Schweitzer (2009), SIAM J. Numer. Anal. 47, 786-803: the method exprb32.
    """
    tau = 0.0
    while True:
        with np.errstate(all="ignore"):
            g, H = unit * evaluator.gradient(x), evaluator.hessian(x) * np.outer(unit, unit)
        if not (all_finite(g) and np.isfinite(H).all()):
            return
        eigenvalues, V = eigh(H)
        # too long rather than too short at first: a slow way is not to be taken for rest
        tau = tau or min(longest / (norm(g) or 1.0), _LARGEST)
        accepted = False
        while not accepted:
            with np.errstate(all="ignore"):
                z = -tau * eigenvalues
                s = -tau * (V @ (_phi1(z) * (V.T @ g)))
                length = norm(s)
                if not length <= longest:
                    tau *= max(1.0 / _LARGEST_CHANGE, _SAFETY * longest / length) if np.isfinite(length) else _FAILED
                    continue
                if length <= EPS * longest or (x + unit * s == x).all():
                    return
                missed = unit * evaluator.gradient(x + unit * s) - g - H @ s
                correction = -2.0 * tau * (V @ (_phi3(z) * (V.T @ missed)))
                error = norm(correction) / length
            accepted = error <= _TOLERANCE
            if np.isfinite(error):
                # the error grows like τ³, the length like τ
                ideal = _SAFETY * math.sqrt(_TOLERANCE / error) if error else _LARGEST_CHANGE
                # where f is flat at infinity τ would overflow, and could not be shrunk again
                tau = min(tau * min(_LARGEST_CHANGE, max(1.0 / _LARGEST_CHANGE, ideal)), _LARGEST)
            else:
                tau *= _FAILED
        x = x + unit * (s + correction)
        yield x


def _phi1(z: Vector) -> Vector:
    """(eᶻ − 1)/z, 1 at 0."""
    zero = z == 0.0
    return np.where(zero, 1.0, np.expm1(z) / np.where(zero, 1.0, z))


def _phi3(z: Vector) -> Vector:
    """(eᶻ − 1 − z − z²/2)/z³, 1/6 at 0."""
    # near 0, the first terms of the series are more precise than the difference
    small = np.abs(z) < 1e-2
    v, w = np.where(small, z, 0.0), np.where(small, 1.0, z)
    series = (1.0 + v / 4.0 + v**2 / 20.0 + v**3 / 120.0) / 6.0
    return np.where(small, series, ((_phi1(w) - 1.0) / w - 0.5) / w)
