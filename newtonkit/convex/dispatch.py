"""Which rule belongs to which numpy function."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from newtonkit.convex import function_rules as rules
from newtonkit.convex.call import RESHAPES, Call, Operand, keeps_order
from newtonkit.convex.curvature import Curvature
from newtonkit.convex.domain import Conditions
from newtonkit.convex.facts import UNKNOWN, AbsoluteComparison, Fact, Key
from newtonkit.convex.linear_rules import add, concatenate, constant_product, rearrange, scale, scale_entries, total
from newtonkit.convex.product_rules import inner_product, product, quotient
from newtonkit.derivatives.autograd.primitives import (
    ARRAY_FROM_ARGS,
    CONCATENATE_ARGS,
    GAMMALN,
    LOGSUMEXP,
    NORMS,
)
from newtonkit.derivatives.tape.recording import RecordedNode

Rule = Callable[["Call"], Fact]


def apply_rule(node: RecordedNode, operands: list[Any], alias: Key, conditions: Conditions, n: int) -> Fact:
    """What is known of the result of a call; UNKNOWN where no rule covers it."""
    call = Call(node, operands, alias, conditions, n)
    rule = _RULES.get(call.function)
    if rule is None:
        return UNKNOWN
    first = next((o for o in operands if isinstance(o, Operand)), None)
    denominator = operands[1] if call.function is np.divide and call.varies(1) else first
    conditions.look_at(denominator.value if denominator is not None else np.nan)
    fact = rule(call)
    # a curvature that is not known leaves no moduli and no square
    return fact if fact.curvature is not Curvature.UNKNOWN or fact.atoms else fact.but(moduli=0.0)


def _addition(call: Call, sign: float = 1.0) -> Fact:
    b = call.fact(1) if sign > 0.0 else scale(call.fact(1), -1.0)
    return add(call.fact(0), b, call.shape, (call.shape_of(0), call.shape_of(1)))


def _multiplication(call: Call) -> Fact:
    if call.only >= 0:
        constant = call.arguments[1 - call.only]
        return _times_constant(call, call.only, constant)
    a, b = call.arguments[:2]
    if call.shape_of(0) != call.shape_of(1):
        return Fact(Curvature.UNKNOWN, a.fact.range.times(b.fact.range))
    return product(a.fact, b.fact, (a.alias, b.alias), call.conditions, call.n)


def _times_constant(call: Call, i: int, constant: Any) -> Fact:
    """c·a; where a is broadcast against c, its sum counts more often, so forms and moduli are dropped."""
    fact = call.fact(i)
    if call.shape_of(i) == call.shape:
        return scale_entries(fact, constant, call.shape)
    return scale(Fact(fact.curvature, fact.range, square_sum=fact.square_sum), constant)


def _division(call: Call) -> Fact:
    if not call.varies(1):
        with np.errstate(all="ignore"):
            return _times_constant(call, 0, 1.0 / np.asarray(call.arguments[1], dtype=np.float64))
    if not call.varies(0):
        reciprocal = rules.power(call.fact(1), -1.0, call.conditions, call.n)
        if call.shape_of(1) != call.shape:
            reciprocal = Fact(reciprocal.curvature, reciprocal.range)
        result = scale(reciprocal, call.arguments[0])
        b = call.fact(1)
        if b.exponentials is not None and np.ndim(call.arguments[0]) == 0 and call.arguments[0] > 0.0:
            log = rules.logarithm(b, call.conditions, call.n)
            result = result.but(log=Fact(log.rest.negated, atoms={key: -c for key, c in log.atoms.items()}))
        return result
    return quotient(call.fact(0), call.fact(1), call.shape, (call.shape_of(0), call.shape_of(1)), call.conditions)


def _power(call: Call) -> Fact:
    if call.varies(1) or np.size(call.arguments[1]) != 1:
        return UNKNOWN
    exponent = float(np.asarray(call.arguments[1]).ravel()[0])
    return rules.power(call.fact(0), exponent, call.conditions, call.n)


def _log(call: Call, base: float = math.e) -> Fact:
    fact = rules.logarithm(call.fact(0), call.conditions, call.n)
    return fact if base == math.e else scale(fact, 1.0 / math.log(base))


def _maximum(call: Call) -> Fact:
    whole = call.shape_of(0) == call.shape, call.shape_of(1) == call.shape
    return rules.maximum(call.fact(0), call.fact(1), whole=whole)


def _minimum(call: Call) -> Fact:
    a, b = scale(call.fact(0), -1.0), scale(call.fact(1), -1.0)
    whole = call.shape_of(0) == call.shape, call.shape_of(1) == call.shape
    return scale(rules.maximum(a, b, whole=whole), -1.0)


def _smallest(call: Call) -> Fact:
    a = call.fact(0)
    return Fact(Curvature.CONCAVE if a.curvature.is_concave else Curvature.UNKNOWN, a.range, rule="minimum of entries")


def _log_sum_exp(call: Call) -> Fact:
    if len(call.arguments) > 2 or not {"b", "return_sign"}.isdisjoint(call.keywords) or not call.varies(0):
        return UNKNOWN
    return rules.log_sum_exp(call.fact(0))


def _total(call: Call, *, mean: bool) -> Fact:
    in_shape = call.shape_of(0)
    count = math.prod(in_shape) // max(math.prod(call.shape), 1)
    extra = set(call.keywords) - {"axis", "keepdims"}
    if extra or not call.varies(0) or len(call.arguments) > 2:
        return UNKNOWN
    return total(call.fact(0), count, call.option(1, "axis"), in_shape, mean=mean)


def _norm(call: Call) -> Fact:
    order, axis = call.option(1, "ord"), call.option(2, "axis")
    vector = len(call.shape_of(0)) == 1 or axis is not None
    if not call.varies(0) or not (order in (None, 1, 2, np.inf) if vector else order in (None, "fro")):
        return UNKNOWN
    two = order is None or order == "fro" or (order == 2 and vector)
    return rules.euclidean_norm(call.fact(0), call.conditions, call.n, differentiable_square=two)


def _move(call: Call) -> Fact:
    if not call.varies(0) or call.only < 0:
        return UNKNOWN
    operand, rest = call.arguments[0], call.arguments[1:]

    def move(array: Any) -> Any:
        return call.function(np.asarray(array), *rest, **call.keywords)

    return rearrange(
        operand.fact,
        move,
        np.shape(operand.value),
        call.shape,
        keeps_order=keeps_order(call.node),
        permutes=call.function in _PERMUTATIONS,
    )


def _linear(call: Call) -> Fact:
    """Linear functions with constant weights of either sign: affine stays affine, and nothing else is stated."""
    fact = call.fact(0)
    if call.only != 0 or not fact.curvature.is_affine:
        return UNKNOWN
    return Fact(fact.curvature, rule="linear function")


def _nonnegative_linear(call: Call) -> Fact:
    """Linear functions with weights ≥ 0: the curvature stays."""
    fact = call.fact(0)
    if call.only != 0:
        return UNKNOWN
    lo = 0.0 if fact.range.nonnegative else -math.inf
    return Fact(fact.curvature, type(fact.range)(lo), rule="linear function with weights ≥ 0")


def _concatenation(call: Call) -> Fact:
    first = 1 if call.function is CONCATENATE_ARGS else 2
    facts = [call.fact(i) for i in range(first, len(call.arguments))]
    if not facts or any(f.curvature is Curvature.UNKNOWN and not f.range.nonnegative for f in facts):
        return UNKNOWN
    indices = None
    numbers = range(first, len(call.arguments))
    if all(call.varies(i) and call.fact(i).selection is not None for i in numbers):
        indices = [call.fact(i).selection.indices for i in numbers]  # type: ignore[union-attr]

    def join(arrays: list[Any]) -> Any:
        if call.function is CONCATENATE_ARGS:
            return np.concatenate(arrays, axis=call.arguments[0])
        return np.array(arrays)

    result = concatenate(facts, indices, join)
    if result.selection is not None and np.shape(result.selection.indices) != call.shape:
        result = result.but(selection=None)
    return result


def _bilinear(call: Call) -> Fact:
    numeric = [i for i, a in enumerate(call.arguments) if isinstance(a, Operand) or not isinstance(a, str)]
    if call.only >= 0:
        i = call.only
        if call.function not in _PRODUCTS_ONLY:
            numeric = numeric[:2]  # tensordot's axes are no factor
        constants = [np.asarray(call.arguments[j]) for j in numeric if j != i]
        if any(c.dtype.kind not in "fiub" or not np.isfinite(c).all() for c in constants):
            return UNKNOWN
        operand = call.arguments[i]
        maps = (
            call.function in (np.dot, np.matmul)
            and len(call.shape_of(i)) == 1
            and len(constants) == 1
            and constants[0].ndim in (1, 2)
        )
        return constant_product(operand.fact, constants, maps=maps, key=operand.key, position=i, n=call.n)
    vectors = len(call.arguments) == 2 and len(call.shape_of(0)) == 1 == len(call.shape_of(1))
    if call.function in (np.dot, np.inner, np.matmul) and vectors:
        a, b = call.arguments[:2]
        return inner_product(a.fact, b.fact, (a.key, b.key), call.conditions, call.n)
    return UNKNOWN


def _comparison(call: Call, *, less: bool) -> Fact:
    """|z| < d, for `where`."""
    if call.only < 0:
        return UNKNOWN
    form, bound = call.fact(call.only).absolute, call.fact(1 - call.only)
    if form is None or bound.range.lo != bound.range.hi:
        return UNKNOWN
    inside = less if call.only == 0 else not less
    return Fact(comparison=AbsoluteComparison(form.key, form.factor, bound.range.lo, inside))


def _where(call: Call) -> Fact:
    if len(call.arguments) != 3:
        return UNKNOWN
    if not call.varies(0):  # every entry is one of two
        return concatenate([call.fact(1), call.fact(2)], None, None).but(moduli=0.0)
    if any(call.varies(i) and call.shape_of(i) != call.shape for i in range(3)):
        return UNKNOWN
    return rules.piecewise(call.fact(0), call.fact(1), call.fact(2))


def _unary(rule: Callable[..., Fact], *extra: Any) -> Rule:
    return lambda call: rule(call.fact(0), *extra)


_PERMUTATIONS = frozenset(
    {np.reshape, np.ravel, np.squeeze, np.expand_dims, np.atleast_1d, np.atleast_2d, np.transpose, np.swapaxes}
    | {np.moveaxis, np.rollaxis, np.roll, np.flip, np.fliplr, np.flipud, np.rot90}
)
_MOVES = RESHAPES | _PERMUTATIONS | {np.broadcast_to, np.repeat, np.tile, np.diagonal}
_PRODUCTS_ONLY = frozenset({np.dot, np.matmul, np.inner, np.outer, np.kron, np.einsum})

_RULES: dict[Any, Rule] = {
    np.negative: lambda call: scale(call.fact(0), -1.0),
    np.add: _addition,
    np.subtract: lambda call: _addition(call, -1.0),
    np.multiply: _multiplication,
    np.divide: _division,
    np.power: _power,
    np.float_power: _power,
    np.square: lambda call: rules.power(call.fact(0), 2.0, call.conditions, call.n),
    np.sqrt: lambda call: rules.power(call.fact(0), 0.5, call.conditions, call.n),
    np.reciprocal: lambda call: rules.power(call.fact(0), -1.0, call.conditions, call.n),
    np.exp: lambda call: rules.exponential(call.fact(0), call.n),
    np.expm1: lambda call: rules.exponential(call.fact(0), call.n, -1.0),
    np.log: _log,
    np.log2: lambda call: _log(call, 2.0),
    np.log10: lambda call: _log(call, 10.0),
    np.log1p: lambda call: rules.log_one_plus(call.fact(0), call.conditions, call.n),
    np.absolute: _unary(rules.absolute),
    np.fabs: _unary(rules.absolute),
    np.cosh: lambda call: rules.hyperbolic_cosine(call.fact(0), call.n),
    np.tanh: lambda call: rules.bounded(-1.0, 1.0),
    np.sin: lambda call: rules.bounded(-1.0, 1.0),
    np.cos: lambda call: rules.bounded(-1.0, 1.0),
    np.logaddexp: lambda call: rules.log_sum_exp(call.fact(0), call.fact(1)),
    np.maximum: _maximum,
    np.fmax: _maximum,
    np.minimum: _minimum,
    np.fmin: _minimum,
    np.max: lambda call: rules.largest(call.fact(0), call.alias),
    np.min: _smallest,
    np.sum: lambda call: _total(call, mean=False),
    np.mean: lambda call: _total(call, mean=True),
    np.where: _where,
    np.less: lambda call: _comparison(call, less=True),
    np.less_equal: lambda call: _comparison(call, less=True),
    np.greater: lambda call: _comparison(call, less=False),
    np.greater_equal: lambda call: _comparison(call, less=False),
    LOGSUMEXP: _log_sum_exp,
    GAMMALN: lambda call: rules.log_gamma(call.fact(0), call.conditions),
    CONCATENATE_ARGS: _concatenation,
    ARRAY_FROM_ARGS: _concatenation,
    np.diff: _linear,
    np.cumsum: _nonnegative_linear,
    np.trace: _nonnegative_linear,
    np.tril: _nonnegative_linear,
    np.triu: _nonnegative_linear,
    np.diag: _nonnegative_linear,
    **dict.fromkeys(NORMS, _norm),
    **dict.fromkeys((np.dot, np.matmul, np.inner, np.outer, np.tensordot, np.kron, np.einsum), _bilinear),
    **dict.fromkeys(_MOVES, _move),
}
