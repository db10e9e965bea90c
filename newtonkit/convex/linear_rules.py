"""Rules for sums, multiples, rearrangements and products with constant matrices: they keep curvature or flip it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from newtonkit.convex.curvature import Curvature, curvature_of_sum
from newtonkit.convex.facts import Fact, Key, Multiple, Selection
from newtonkit.convex.ranges import Range

_CANCELLED = 1e-14  # relative size of an atom's coefficient that is rounding of a cancellation


def scale(a: Fact, factor: Any) -> Fact:
    """c·a for a constant c, a number or an array that broadcasts without enlarging a.

    Theorem: c·a is convex where a is convex and c ≥ 0, or a concave and c ≤ 0; affine where a is affine. For a scalar c
    the Hessian of the sum is c times as large; for an array the moduli shrink to min|c| times as large.
    """
    c = np.asarray(factor, dtype=np.float64)
    if not c.size or not np.isfinite(c).all():
        return Fact()
    low, high = float(c.min()), float(c.max())
    uniform = low == high
    if not uniform and a.atoms:
        a = Fact(a.curvature, a.range)
    rest = a.rest
    if not a.rest.is_affine and low < 0.0:
        rest = a.rest.negated if high <= 0.0 else Curvature.UNKNOWN
    least = min(abs(low), abs(high)) if low * high > 0.0 else 0.0
    result = Fact(rest, a.range.times(Range(low, high)), moduli=least * a.moduli, rule="multiple by a constant")
    if low >= 0.0:
        result = result.but(square_sum=a.square_sum, exponentials=a.exponentials)
    if not uniform or low == 0.0:
        return result
    result = result.but(
        atoms={key: low * value for key, value in a.atoms.items()},
        multiple=_scaled(a.multiple, low),
        absolute=_scaled(a.absolute, low),
        log_of=_scaled(a.log_of, low),
        selection=None if a.selection is None else Selection(a.selection.indices, low * a.selection.coefficients),
        matrix=None if a.matrix is None else low * a.matrix,
        image=None if a.image is None else (a.image[0], low * a.image[1]),
    )
    if a.even is not None:
        result = result.but(even=a.even._replace(p=low * a.even.p, q=low * a.even.q, r=low * a.even.r))
    if low > 0.0 and a.log is not None:  # log(c·a) = log a + log c
        result = result.but(log=Fact(a.log.rest, atoms=a.log.atoms, moduli=a.log.moduli))
    return result


def scale_entries(a: Fact, factor: Any, shape: tuple[int, ...]) -> Fact:
    """c·a for a constant array c of the result's shape; keeps the form of a selection and of a matrix."""
    result = scale(a, factor)
    c = np.asarray(factor, dtype=np.float64)
    if c.size > 1 and a.selection is not None and np.shape(a.selection.indices) == shape:
        result = result.but(selection=Selection(a.selection.indices, a.selection.coefficients * c))
    if c.size > 1 and a.matrix is not None and c.shape == shape == (len(a.matrix),):
        result = result.but(matrix=c[:, None] * a.matrix)
    return result


def add(a: Fact, b: Fact, shape: tuple[int, ...], shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> Fact:
    """a + b, broadcast to ``shape``.

    Theorem: a sum of convex functions is convex, of concave ones concave. An operand that is broadcast stands
    size/own times in the sum of the entries, so its moduli count as often. An atom that is broadcast is another atom.
    """
    size = math.prod(shape)
    atoms: dict[Key, float] = {}
    largest = 0.0
    for operand, own in zip((a, b), shapes, strict=True):
        for key, c in operand.atoms.items():
            name = key if own == shape else broadcast_key(key, own, shape)
            atoms[name] = atoms.get(name, 0.0) + c
            largest = max(largest, abs(c))
    rest = curvature_of_sum(a.rest, b.rest)
    moduli: Any = 0.0
    if rest in (Curvature.CONVEX, Curvature.CONCAVE):
        moduli = sum(f.moduli * (size // max(math.prod(s), 1)) for f, s in zip((a, b), shapes, strict=True))
    kept = {key: c for key, c in atoms.items() if abs(c) > _CANCELLED * largest}
    result = Fact(rest, a.range.plus(b.range), kept, moduli, rule="sum")
    result = result.but(square_sum=a.square_sum and b.square_sum)
    if a.exponentials is not None and a.exponentials == b.exponentials and shapes[0] == shapes[1]:
        result = result.but(exponentials=a.exponentials)
    for one, other, own in ((a, b, shapes[0]), (b, a, shapes[1])):
        if other.rest is Curvature.CONSTANT and not other.atoms:
            result = _with_constant_added(result, one, other, own == shape)
    return result


def _with_constant_added(result: Fact, one: Fact, constant: Fact, same_shape: bool) -> Fact:
    """The forms that survive the addition of a constant array."""
    if constant.range.nonnegative and one.exponentials is not None and one.exponentials.shift is None:
        result = result.but(exponentials=one.exponentials)
    if not same_shape:
        return result
    uniform = constant.range.lo == constant.range.hi
    result = result.but(selection=one.selection, matrix=one.matrix)
    if uniform:
        c = constant.range.lo
        result = result.but(multiple=_shifted(one.multiple, c), log_of=_shifted(one.log_of, c))
        if one.even is not None:
            result = result.but(even=one.even._replace(p=one.even.p + c))
    return result


def broadcast_key(key: Key, own: tuple[int, ...], shape: tuple[int, ...]) -> Key:
    """The key of an array broadcast to a shape."""
    return "broadcast", key, (1,) * (len(shape) - len(own)) + tuple(own), tuple(shape)


def total(a: Fact, count: int, axis: Any, in_shape: tuple[int, ...], *, mean: bool) -> Fact:
    """The sum, or mean, over some axes; ``count`` entries are added for each entry of the result.

    Theorem: the sum of the entries of the result is that of a, so the moduli stay. A sum of atoms is an atom.
    """
    result = Fact(
        a.rest, a.range.repeated(count), moduli=a.moduli, square_sum=a.square_sum, rule="mean" if mean else "sum"
    )
    result = result.but(atoms={("sum", str(axis), in_shape, key): c for key, c in a.atoms.items()})
    if a.exponentials is not None:
        shift = a.exponentials.shift
        if shift is None:
            result = result.but(exponentials=a.exponentials)
        elif (inner := _shift_of_sum(shift, axis, in_shape)) is not None:
            result = result.but(exponentials=type(a.exponentials)(inner))
    return scale(result, 1.0 / count).but(rule="mean") if mean else result


def _shift_of_sum(shift: Key, axis: Any, in_shape: tuple[int, ...]) -> Key | None:
    """The key of s for a sum of exp(−s)·(…) over exactly the axes along which s is one broadcast number; else None."""
    if not (isinstance(shift, tuple) and shift[0] == "broadcast" and shift[3] == in_shape):
        return None
    own: tuple[int, ...] = shift[2]
    axes = range(len(in_shape)) if axis is None else [int(i) % len(in_shape) for i in np.atleast_1d(axis)]
    fits = all(own[i] == (1 if i in axes else whole) for i, whole in enumerate(in_shape))
    return shift[1] if fits else None


def rearrange(
    a: Fact, move: Any, in_shape: tuple[int, ...], shape: tuple[int, ...], *, keeps_order: bool, permutes: bool
) -> Fact:
    """Entries taken, repeated or moved by the function ``move``.

    Parameters
    ----------
    keeps_order : bool
        The result is the same array up to axes of length one.
    permutes : bool
        Every entry occurs exactly once, so the sum of the entries, and its moduli, stay.
    """
    if keeps_order:
        return a.but(
            selection=_moved_selection(a, move, shape),
            matrix=a.matrix if a.matrix is not None and shape == (len(a.matrix),) else None,
        )
    result = Fact(a.rest, a.range, moduli=a.moduli if permutes else 0.0, square_sum=a.square_sum)
    result = result.but(atoms={_moved_key(key, move, in_shape): c for key, c in a.atoms.items()})
    if a.exponentials is not None and a.exponentials.shift is None:
        result = result.but(exponentials=a.exponentials)
    if a.log is not None:
        result = result.but(log=Fact(a.log.curvature))
    return result.but(selection=_moved_selection(a, move, shape), rule="selection of entries")


def _moved_key(key: Key, move: Any, in_shape: tuple[int, ...]) -> Key:
    """The key of an atom after a rearrangement: of an array and of which of its entries stand where.

    A broadcast atom of which every entry is taken once, in order, is the atom before it was broadcast.
    """
    own, inner = in_shape, key
    if isinstance(key, tuple) and key[0] == "broadcast" and key[3] == in_shape:
        inner, own = key[1], key[2]
    count = math.prod(own)
    positions = np.asarray(move(np.broadcast_to(np.arange(count).reshape(own), in_shape)))
    if np.array_equal(positions.ravel(), np.arange(count)):
        return inner
    return "entries", inner, positions.shape, positions.tobytes()


def _moved_selection(a: Fact, move: Any, shape: tuple[int, ...]) -> Selection | None:
    if a.selection is None:
        return None
    indices, coefficients = a.selection
    moved = move(indices)
    if np.shape(moved) != shape:
        return None
    if np.ndim(coefficients):
        coefficients = move(np.broadcast_to(coefficients, np.shape(indices)))
    return Selection(moved, coefficients)


def concatenate(parts: list[Fact], indices: list[Any] | None, join: Any) -> Fact:
    """Arrays put together: each entry is an entry of a part."""
    curvature = curvature_of_sum(*(part.curvature for part in parts))
    everything = parts[0].range
    for part in parts[1:]:
        everything = everything.union(part.range)
    moduli: Any = 0.0
    if curvature in (Curvature.CONVEX, Curvature.CONCAVE) and not any(part.atoms for part in parts):
        moduli = sum(part.moduli for part in parts)
    result = Fact(curvature, everything, moduli=moduli, square_sum=all(p.square_sum for p in parts), rule="join")
    if indices is not None:
        coefficients = [
            np.broadcast_to(p.selection.coefficients if p.selection else 0.0, np.shape(i))
            for p, i in zip(parts, indices, strict=True)
        ]
        result = result.but(selection=Selection(join(indices), join(coefficients)))
    return result


def constant_product(a: Fact, matrices: list[Any], *, maps: bool, key: Key, position: int, n: int) -> Fact:
    """A product with constant arrays (matmul, dot, einsum …): every entry is Σ wⱼ·aⱼ with constant weights.

    Theorem: with weights ≥ 0 the curvature stays, with weights ≤ 0 it is that of the negative; affine stays affine.
    The weights are the products of the constant arrays' entries: they are ≥ 0 if all of those are.

    Parameters
    ----------
    maps : bool
        The result is A @ a for a vector a, with A the only constant array, or its transpose where ``position`` is 0.
    """
    if all((m >= 0).all() for m in matrices):
        sign = 1
    elif len(matrices) == 1 and (matrices[0] <= 0).all():
        sign = -1
    else:
        sign = 0
    c = a.curvature
    rest = c if c.is_affine or sign > 0 else c.negated if sign < 0 else Curvature.UNKNOWN
    lo = 0.0 if (sign > 0 and a.range.nonnegative) or (sign < 0 and a.range.hi <= 0.0) else -math.inf
    result = Fact(rest, Range(lo, math.inf), rule="product with a constant matrix")
    if not maps:
        return result
    A = np.asarray(matrices[0], dtype=np.float64)
    if A.ndim == 1:
        # Σ w·a: the weights are at least min|w| times a sign
        least = float(np.min(np.abs(A))) if sign and A.size else 0.0
        return result.but(moduli=least * a.moduli)
    A = A if position == 1 else A.T
    if a.selection is not None and np.array_equal(a.selection.indices, np.arange(n)):
        result = result.but(matrix=A * np.asarray(a.selection.coefficients))
    return result.but(image=(key, A))


def _scaled(form: Multiple | None, c: float) -> Multiple | None:
    return None if form is None else Multiple(form.key, form.factor * c, form.constant * c)


def _shifted(form: Multiple | None, c: float) -> Multiple | None:
    return None if form is None else form._replace(constant=form.constant + c)
