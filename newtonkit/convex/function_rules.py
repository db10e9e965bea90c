"""Rules for functions of one array: powers, exponentials, logarithms, absolute values, norms, maxima.

A twice differentiable h with h″ ≥ κ ≥ 0 on the range of an affine array gives moduli, see
`newtonkit.convex.facts.moduli_of_composition`. Composition rules are those of Boyd & Vandenberghe (2004), *Convex
Optimization*, section 3.2.4.
"""

from __future__ import annotations

import math

from newtonkit.convex.curvature import Curvature, increasing_concave_of, increasing_convex_of
from newtonkit.convex.domain import Conditions
from newtonkit.convex.facts import (
    EvenPolynomial,
    Fact,
    Key,
    Multiple,
    ScaledExponentials,
    moduli_of_composition,
    of_constant,
)
from newtonkit.convex.linear_rules import add, scale
from newtonkit.convex.ranges import NONNEGATIVE, Range, outward
from newtonkit.linalg.kernels import Vector


def power(a: Fact, p: float, conditions: Conditions, n: int) -> Fact:
    """a^p for a constant number p.

    Theorems: t^p is convex on ℝ for even p ≥ 2; convex and nondecreasing on t ≥ 0 for p ≥ 1; concave and nondecreasing
    on t ≥ 0 for 0 < p < 1; convex and nonincreasing on t > 0 for p < 0 (Boyd & Vandenberghe, section 3.1.5). The root
    of a sum of squares is a Euclidean norm of an affine, or of a convex nonnegative, vector: convex. Greater powers of
    it are convex and nondecreasing functions of it.
    """
    if p == 1.0:
        return a
    if p == 2.0 and a.square is not None:
        return a.square
    whole = float(p).is_integer()
    even = whole and p % 2 == 0
    range_ = _range_of_power(a.range, p, even)
    c = a.curvature
    if c is Curvature.CONSTANT:
        return Fact(c, range_, square_sum=range_.nonnegative, rule="constant")
    if p > 1.0 and even and c is Curvature.AFFINE and not a.range.nonnegative:
        return _square_or_power(a, p, range_, n, f"even power {p:g} of an affine array")
    if p > 1.0 and a.range.nonnegative and c.is_convex:
        return _square_or_power(a, p, range_, n, f"power {p:g} ≥ 1 of a convex nonnegative array")
    if p > 1.0 and even and c is Curvature.CONCAVE and a.range.hi <= 0.0:
        return Fact(Curvature.CONVEX, range_, square_sum=p == 2.0, rule=f"even power {p:g} of a concave array ≤ 0")
    if a.square_sum and p >= 0.5:
        square = a if p == 0.5 else None
        return Fact(Curvature.CONVEX, NONNEGATIVE, square=square, rule="norm: root of a sum of squares")
    if 0.0 < p < 1.0 and c.is_concave:
        conditions.nonnegative(a, "the base of a root")
        moduli = 0.0 if c is not Curvature.AFFINE else _least_of_power(a, p, n)
        return Fact(Curvature.CONCAVE, NONNEGATIVE, moduli=moduli, rule=f"power {p:g} of a concave array")
    if p < 0.0 and c.is_concave and conditions.positive(a, "a denominator", defined_elsewhere=whole):
        moduli = _least_of_power(a, p, n) if c is Curvature.AFFINE else 0.0
        return Fact(Curvature.CONVEX, NONNEGATIVE, moduli=moduli, rule=f"power {p:g} of a positive concave array")
    return Fact(Curvature.UNKNOWN, range_)


def _square_or_power(a: Fact, p: float, range_: Range, n: int, rule: str) -> Fact:
    moduli = _least_of_power(a, p, n) if a.curvature is Curvature.AFFINE else 0.0
    result = Fact(Curvature.CONVEX, range_, moduli=moduli, square_sum=p == 2.0, rule=rule)
    form = a.multiple or a.absolute
    if p == 2.0 and form is not None and form.constant == 0.0:
        result = result.but(even=EvenPolynomial(form.key, 0.0, 0.0, form.factor**2))
    return result


def _least_of_power(a: Fact, p: float, n: int) -> Vector | float:
    """Moduli from min |p(p−1) t^(p−2)| over the range of a."""
    t = a.range.smallest_magnitude if p >= 2.0 else a.range.largest_magnitude
    if p == 2.0:
        least = 2.0
    elif not math.isfinite(t) or t == 0.0:
        least = 0.0
    else:
        least = abs(p * (p - 1.0)) * _power(t, p - 2.0)
    return moduli_of_composition(a, least if math.isfinite(least) else 0.0, n)


def _range_of_power(a: Range, p: float, even: bool) -> Range:
    if a.nonnegative:
        lo, hi = sorted((_power(a.lo, p), _power(a.hi, p)))
        return outward(lo, hi, floor=0.0)
    if even and p > 0.0:
        return outward(_power(a.smallest_magnitude, p), _power(a.largest_magnitude, p), floor=0.0)
    return Range(0.0 if even else -math.inf, math.inf)


def _power(t: float, p: float) -> float:
    try:
        return math.pow(t, p)
    except (ValueError, OverflowError):  # 0 to a negative power, or too large
        return math.inf


def exponential(a: Fact, n: int, shift: float = 0.0) -> Fact:
    """exp(a) + shift, shift = 0, or −1 for ``expm1``.

    Theorem: exp is convex and increasing, so exp(a) is convex where a is. Where a = convex − s, the value is
    exp(−s)·exp(convex), whose logarithm is known.
    """
    c = a.curvature
    lo, hi = (_exp(t) for t in a.range)
    range_ = outward(lo, hi, floor=0.0)
    moduli = moduli_of_composition(a, range_.lo, n) if c is Curvature.AFFINE and not a.atoms else 0.0
    result = Fact(increasing_convex_of(c), range_, moduli=moduli, rule="exp of a convex array")
    if shift:
        return result.but(range=range_.plus(Range(shift, shift)))
    result = result.but(log=a)
    if c.is_convex:
        result = result.but(exponentials=ScaledExponentials(None))
    elif a.rest.is_convex and list(a.atoms.values()) == [-1.0]:
        result = result.but(exponentials=ScaledExponentials(next(iter(a.atoms))))
    if a.absolute is not None and a.absolute.factor < 0.0:
        result = result.but(soft=a.absolute._replace(factor=-a.absolute.factor))
    return result


def _exp(t: float) -> float:
    return math.exp(t) if t < 709.0 else math.inf


def logarithm(a: Fact, conditions: Conditions, n: int) -> Fact:
    """log(a).

    Theorems: log is concave and increasing, so log(a) is concave where a is. A sum of exponentials of convex functions
    with weights ≥ 0 is log-convex (Boyd & Vandenberghe, section 3.5.2), and so is that sum plus a constant ≥ 0;
    log(exp(−s)·b) = log b − s.
    """
    if a.log is not None:
        return a.log
    lo, hi = (math.log(t) if 0.0 < t < math.inf else math.copysign(math.inf, t or -1.0) for t in a.range)
    range_ = outward(lo if a.range.lo > 0.0 else -math.inf, hi, floor=0.0 if a.range.lo >= 1.0 else -math.inf)
    if a.exponentials is not None:
        shift = a.exponentials.shift
        atoms = {} if shift is None else {shift: -1.0}
        return Fact(Curvature.CONVEX, range_, atoms, rule="log of a sum of exponentials of convex arrays")
    c = a.curvature
    if not c.is_concave:
        return Fact(Curvature.UNKNOWN, range_)
    conditions.positive(a, "the argument of a logarithm", defined_elsewhere=False)
    hi = a.range.hi
    # 1/t² is a normal number for these t
    least = 1.0 / hi**2 if 1e-100 < hi < 1e100 else 0.0
    moduli = moduli_of_composition(a, least, n) if c is Curvature.AFFINE else 0.0
    log_of = None
    if a.multiple is not None and a.multiple.constant == 0.0 and a.multiple.factor > 0.0:
        log_of = Multiple(a.multiple.key, 1.0)
    result = Fact(increasing_concave_of(c), range_, moduli=moduli, log_of=log_of, rule="log of a concave array")
    return result


def log_one_plus(a: Fact, conditions: Conditions, n: int) -> Fact:
    """log(1 + a).

    Theorem: log(1 + exp(−c|z|)) = log(1 + exp(cz)) − c·max(z, 0) for every z: for z ≤ 0 both sides are
    log(1 + exp(cz)); for z > 0 the right side is log((1 + exp(cz))·exp(−cz)). The softplus log(1 + exp(cz)) is convex.
    """
    if a.soft is not None:
        atoms = {positive_part(a.soft.key): -a.soft.factor}
        return Fact(Curvature.CONVEX, Range(0.0, math.log(2.0) * (1.0 + 1e-15)), atoms, rule="softplus, stable form")
    one = of_constant(1.0)
    return logarithm(add(a, one, (), ((), ())), conditions, n)


def positive_part(key: Key) -> Key:
    """The key of the atom max(z, 0)."""
    return "positive part", key


def absolute(a: Fact) -> Fact:
    """|a|: convex where a is affine (a norm); a itself where a ≥ 0, and −a where a ≤ 0."""
    if a.range.nonnegative:
        return a
    if a.range.hi <= 0.0:
        return scale(a, -1.0)
    range_ = Range(a.range.smallest_magnitude, a.range.largest_magnitude)
    c = a.curvature
    if not c.is_affine:
        return Fact(Curvature.UNKNOWN, range_)
    result = Fact(Curvature.CONSTANT if c is Curvature.CONSTANT else Curvature.CONVEX, range_, rule="absolute value")
    if a.multiple is not None and a.multiple.constant == 0.0:
        form = Multiple(a.multiple.key, abs(a.multiple.factor))
        result = result.but(absolute=form, even=EvenPolynomial(form.key, 0.0, form.factor, 0.0))
    return result


def maximum(a: Fact, b: Fact, *, whole: tuple[bool, bool]) -> Fact:
    """max(a, b), entry by entry; ``whole`` says which of them has the shape of the result.

    Theorems: a maximum of convex functions is convex. max(cz, 0) is c·max(z, 0) for c > 0 and
    |c|·(max(z, 0) − z) for c < 0, with the atom max(z, 0).
    """
    curvature = Curvature.CONSTANT
    if a.curvature is not Curvature.CONSTANT or b.curvature is not Curvature.CONSTANT:
        both_convex = a.curvature.is_convex and b.curvature.is_convex
        curvature = Curvature.CONVEX if both_convex else Curvature.UNKNOWN
    range_ = Range(max(a.range.lo, b.range.lo), max(a.range.hi, b.range.hi))
    for z, zero, is_whole in ((a, b, whole[0]), (b, a, whole[1])):
        form = z.multiple if is_whole else None
        is_zero = zero.curvature is Curvature.CONSTANT and zero.range == (0.0, 0.0)
        if is_zero and z.curvature is Curvature.AFFINE and form is not None and form.constant == 0.0:
            rest = Curvature.CONSTANT if form.factor > 0.0 else Curvature.AFFINE
            atoms = {positive_part(form.key): abs(form.factor)}
            return Fact(rest, range_, atoms, rule="positive part of an affine array")
    return Fact(curvature, range_, rule="maximum of convex arrays")


def largest(a: Fact, key: Key) -> Fact:
    """The maximum over some axes: an atom, since stable code subtracts it and adds it back."""
    if not a.curvature.is_convex:
        return Fact(Curvature.UNKNOWN, a.range)
    if a.curvature is Curvature.CONSTANT:
        return Fact(Curvature.CONSTANT, a.range, rule="constant")
    return Fact(Curvature.CONSTANT, a.range, {key: 1.0}, rule="maximum of convex entries")


def log_sum_exp(*parts: Fact) -> Fact:
    """log Σ exp over entries or arguments: convex and increasing in each (Boyd & Vandenberghe, section 3.1.5)."""
    convex = all(part.curvature.is_convex for part in parts)
    lo = max(part.range.lo for part in parts)
    return Fact(Curvature.CONVEX if convex else Curvature.UNKNOWN, Range(lo), rule="log-sum-exp of convex arrays")


def euclidean_norm(a: Fact, conditions: Conditions, n: int, *, differentiable_square: bool) -> Fact:
    """A norm of an affine vector, or of a convex nonnegative one, in which it is nondecreasing: convex."""
    c = a.curvature
    if not (c.is_affine or (c.is_convex and a.range.nonnegative)):
        return Fact(Curvature.UNKNOWN, NONNEGATIVE)
    square = power(a, 2.0, conditions, n) if differentiable_square else None
    if square is not None:
        square = Fact(square.rest, NONNEGATIVE, moduli=square.moduli, square_sum=True, rule=square.rule)
    return Fact(Curvature.CONVEX, NONNEGATIVE, square=square, rule="norm")


def hyperbolic_cosine(a: Fact, n: int) -> Fact:
    """cosh is convex, and increasing on t ≥ 0; cosh″ = cosh ≥ 1."""
    convex = a.curvature.is_affine or (a.curvature.is_convex and a.range.nonnegative)
    moduli = moduli_of_composition(a, 1.0, n) if a.curvature is Curvature.AFFINE else 0.0
    return Fact(Curvature.CONVEX if convex else Curvature.UNKNOWN, Range(1.0), moduli=moduli, rule="cosh")


def log_gamma(a: Fact, conditions: Conditions) -> Fact:
    """log Γ is convex on t > 0 (Bohr–Mollerup theorem); Γ is defined elsewhere too, where nothing is stated."""
    if not a.curvature.is_affine or not conditions.positive(a, "the argument of gammaln", defined_elsewhere=True):
        return Fact()
    curvature = Curvature.CONSTANT if a.curvature is Curvature.CONSTANT else Curvature.CONVEX
    return Fact(curvature, rule="log Γ of a positive affine array")


def bounded(lo: float, hi: float) -> Fact:
    """A function of which only the range is used: tanh, sin, cos."""
    return Fact(Curvature.UNKNOWN, Range(lo, hi))


def piecewise(condition: Fact, on_true: Fact, on_false: Fact) -> Fact:
    """where(c|z| < d, p₁ + q₁|z| + r₁z², p₂ + q₂|z| + r₂z²), such as Huber's function.

    Theorem: an even function φ(|z|) is convex if φ is convex and nondecreasing on t ≥ 0. Both pieces are if their q
    and r are ≥ 0; the whole is if it is continuous at t = d/c and its slope does not fall there.
    """
    test = condition.comparison
    if test is None or not (test.factor > 0.0 and test.bound > 0.0):
        return Fact(Curvature.UNKNOWN, on_true.range.union(on_false.range))
    inner, outer = (on_true, on_false) if test.inside else (on_false, on_true)
    a, b = inner.even, outer.even
    range_ = on_true.range.union(on_false.range)
    if a is None or b is None or a.key != test.key or b.key != test.key:
        return Fact(Curvature.UNKNOWN, range_)
    t = test.bound / test.factor
    value_a, value_b = a.p + t * (a.q + a.r * t), b.p + t * (b.q + b.r * t)
    slope_a, slope_b = a.q + 2.0 * a.r * t, b.q + 2.0 * b.r * t
    size = abs(a.p) + abs(b.p) + t * (a.q + b.q + t * (a.r + b.r))
    rising = min(a.q, a.r, b.q, b.r) >= 0.0
    # equality up to the rounding of the constants in the program: 1e-12 is 5000 eps
    continuous = abs(value_a - value_b) <= 1e-12 * size
    ok = rising and continuous and slope_a <= slope_b * (1.0 + 1e-12)
    return Fact(Curvature.CONVEX if ok else Curvature.UNKNOWN, range_, rule="piecewise even function")
