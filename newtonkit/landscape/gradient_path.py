"""Steepest-descent paths: solutions of ẋ = −∇f(x), one point at a time.

Near a saddle and in a curved valley the flow is stiff: the eigenvalues of the Hessian differ by orders of magnitude. An
exponential integrator solves the linear part of each step exactly. The length of its steps is therefore limited only by
the smoothness of the path, and it is exact on a quadratic f.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.kernels import EPS, Vector, all_finite, eigh, norm

# Tolerance for ‖s₃ − s₂‖/‖s₂‖, the error of s₂. Paths made of s₃ then deviate by 1e-5 (Müller-Brown) to 5e-5
# (Rosenbrock). A tenth of it takes three to five times as many steps for the same deviation (our measurement).
STEP_TOLERANCE = 1e-2
MAX_STEP_CHANGE, SAFETY_FACTOR = 5.0, 0.9  # of step size control; Hairer, Nørsett & Wanner (1993), (II.4.13)
LARGEST_FLOAT = float(np.finfo(np.float64).max)
NONFINITE_REDUCTION = 0.1  # of the step after a non-finite value, as in the line searches


def gradient_flow(evaluator: Evaluator, x: Vector, unit: Vector, longest: float) -> Iterator[Vector]:
    """Points on the steepest-descent path from x.

    Let g = ∇f(x), H = ∇²f(x), φ₁(z) = (eᶻ − 1)/z and φ₃(z) = (eᶻ − 1 − z − z²/2)/z³. The step of time τ
    s₂ = −τ φ₁(−τH) g is exact for the quadratic model. The step s₃ = s₂ − 2τ φ₃(−τH) (∇f(x + s₂) − g − Hs₂) has order
    three. The difference ‖s₃ − s₂‖ controls τ.

    Parameters
    ----------
    evaluator : Evaluator
    x : ndarray, shape (n,)
        The start; not yielded.
    unit : ndarray, shape (n,)
        Units of the variables: the descent is steepest in the metric of x/unit.
    longest : float
        The maximal length of a step, in the same metric.

    Yields
    ------
    ndarray, shape (n,)

    Notes
    -----
    The path ends when a step no longer changes x: at a critical point, or if the derivatives are not finite after any
    step, however short. A step costs two gradients, a Hessian and its eigenvectors.

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
        # the first step is rather too long than too short, so that slow motion is not mistaken for the end of the path
        tau = tau or min(longest / (norm(g) or 1.0), LARGEST_FLOAT)
        accepted = False
        while not accepted:
            with np.errstate(all="ignore"):
                z = -tau * eigenvalues
                s = -tau * (V @ (_phi1(z) * (V.T @ g)))
                length = norm(s)
                if not length <= longest:
                    tau *= (
                        max(1.0 / MAX_STEP_CHANGE, SAFETY_FACTOR * longest / length)
                        if np.isfinite(length)
                        else NONFINITE_REDUCTION
                    )
                    continue
                if length <= EPS * longest or (x + unit * s == x).all():
                    return
                missed = unit * evaluator.gradient(x + unit * s) - g - H @ s
                correction = -2.0 * tau * (V @ (_phi3(z) * (V.T @ missed)))
                error = norm(correction) / length
            accepted = error <= STEP_TOLERANCE
            if np.isfinite(error):
                # the error grows like τ³, the length like τ
                ideal = SAFETY_FACTOR * math.sqrt(STEP_TOLERANCE / error) if error else MAX_STEP_CHANGE
                # if f is flat at infinity, τ would overflow and could not be reduced again
                tau = min(tau * min(MAX_STEP_CHANGE, max(1.0 / MAX_STEP_CHANGE, ideal)), LARGEST_FLOAT)
            else:
                tau *= NONFINITE_REDUCTION
        x = x + unit * (s + correction)
        yield x


def _phi1(z: Vector) -> Vector:
    """(eᶻ − 1)/z, 1 at 0."""
    zero = z == 0.0
    return np.where(zero, 1.0, np.expm1(z) / np.where(zero, 1.0, z))


def _phi3(z: Vector) -> Vector:
    """(eᶻ − 1 − z − z²/2)/z³, 1/6 at 0."""
    # near 0 the first terms of the series are more accurate than the difference
    small = np.abs(z) < 1e-2
    v, w = np.where(small, z, 0.0), np.where(small, 1.0, z)
    series = (1.0 + v / 4.0 + v**2 / 20.0 + v**3 / 120.0) / 6.0
    return np.where(small, series, ((_phi1(w) - 1.0) / w - 0.5) / w)
