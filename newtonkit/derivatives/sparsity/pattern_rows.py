"""Boolean matrices whose rows are sets: which entries of x each entry of a value depends on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

LIMIT = 50_000_000
"""Largest number of entries in one pattern, intermediate patterns included: 250 MB. Larger patterns count as dense."""

Pattern = Any
"""A csr_array of booleans: a row for each entry of a value, a column for each entry of x. None if it is empty."""

Positions = NDArray[np.int64]


class DensePattern(Exception):  # noqa: N818 - no error: the result is that every entry may depend on every other
    """No pattern sparser than the full matrix can be given; the message gives the reason."""


def union_of_rows(patterns: Sequence[Pattern]) -> Pattern:
    """The union of patterns, row by row."""
    union: Pattern = None
    for P in patterns:
        if P is None or P is union:
            continue
        if union is None or _same(P, union):
            union = P
        else:
            larger = union + P
            union = union if larger.nnz == union.nnz else larger
    return union


def _same(P: Pattern, Q: Pattern) -> bool:
    return P.nnz == Q.nnz and np.array_equal(P.indices, Q.indices) and np.array_equal(P.indptr, Q.indptr)


def select_rows(P: Pattern, numbers: Positions) -> Pattern:
    """The rows with these numbers, counted from 1; the number 0 gives an empty row."""
    if P is None:
        return None
    if len(numbers) == P.shape[0] and np.array_equal(numbers, np.arange(1, len(numbers) + 1)):
        return P
    indptr = np.concatenate((P.indptr[:1], P.indptr))
    if np.diff(indptr)[numbers].sum(dtype=np.int64) > LIMIT:
        raise DensePattern("too many entries of the gradient depend on too many entries of x")
    return sp.csr_array((P.data, P.indices, indptr), shape=(len(indptr) - 1, P.shape[1]))[numbers]


def broadcast_rows(P: Pattern, shape: tuple[int, ...], to: tuple[int, ...]) -> Pattern:
    if P is None or shape == to:
        return P
    return select_rows(P, np.broadcast_to(np.arange(1, math.prod(shape) + 1).reshape(shape), to).ravel())


def merge_runs(P: Pattern, count: int) -> Pattern:
    """The union of each run of consecutive rows, for ``count`` runs of equal length."""
    if P is None or count == P.shape[0]:
        return P
    if count == 1:
        met = np.zeros(P.shape[1], dtype=bool)
        met[P.indices] = True
        columns = np.flatnonzero(met).astype(P.indices.dtype)
        ends = np.array([0, len(columns)], dtype=P.indptr.dtype)
        return sp.csr_array((np.ones(len(columns), bool), columns, ends), shape=(1, P.shape[1]))
    length = P.shape[0] // max(count, 1)
    return merge_runs_until(P, np.arange(1, count + 1) * length)


def merge_runs_until(P: Pattern, ends: Positions) -> Pattern:
    """The union of each run of consecutive rows, given the position where each run ends."""
    indptr = np.concatenate((P.indptr[:1], P.indptr[ends]))
    union = sp.csr_array((P.data.copy(), P.indices.copy(), indptr), shape=(len(ends), P.shape[1]))
    union.sum_duplicates()
    return union
