"""Functions with a continuous symmetry, and the directions of the symmetry at a point."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Function = Callable[[Any], Any]


def rigid_motions(dimension: int) -> Callable[[Vector], Matrix]:
    """Translations and rotations of points in the plane or in space."""

    def orbit(x: Vector) -> Matrix:
        X = x.reshape(-1, dimension)
        columns = [np.broadcast_to(e, X.shape) for e in np.eye(dimension)]
        for i in range(dimension):
            for j in range(i):
                A = np.zeros((dimension, dimension))
                A[i, j], A[j, i] = 1.0, -1.0
                columns.append(X @ A)
        return np.array([c.ravel() for c in columns]).T

    return orbit


def cluster(atoms: int, pair: Callable[[Any], Any]) -> Function:
    """The sum of a pair potential of the squared distance over all pairs of atoms."""
    i, j = np.triu_indices(atoms, 1)

    def fun(x: Any) -> Any:
        X = anp.reshape(x, (atoms, 3))
        return anp.sum(pair(anp.sum((X[i] - X[j]) ** 2, axis=1)))

    return fun


def lennard_jones(r2: Any) -> Any:
    """4(r⁻¹² − r⁻⁶)."""
    return 4.0 * (r2**-6 - r2**-3)


def morse(r2: Any) -> Any:
    """(1 − exp(3(1 − r)))² − 1."""
    return (1.0 - anp.exp(3.0 * (1.0 - anp.sqrt(r2)))) ** 2 - 1.0


def factorization(m: int, n: int, rank: int, seed: int) -> tuple[Function, Callable[[Vector], Matrix], float]:
    """‖UVᵀ − M‖² with its orbit U → UA, V → VA⁻ᵀ and its least value (Eckart and Young, 1936)."""
    M = np.random.default_rng(seed).standard_normal((m, n))

    def fun(x: Any) -> Any:
        return anp.sum(
            (anp.dot(anp.reshape(x[: m * rank], (m, rank)), anp.reshape(x[m * rank :], (n, rank)).T) - M) ** 2
        )

    def orbit(x: Vector) -> Matrix:
        U, V = x[: m * rank].reshape(m, rank), x[m * rank :].reshape(n, rank)
        generators = np.eye(rank * rank).reshape(-1, rank, rank)
        return np.array([np.r_[(U @ A).ravel(), -(V @ A.T).ravel()] for A in generators]).T

    return fun, orbit, float(np.sum(np.linalg.svd(M)[1][rank:] ** 2))


def linear_network(widths: tuple[int, ...], seed: int) -> tuple[Function, Callable[[Vector], Matrix], float]:
    """‖W_L…W₁ − M‖² for white data: every local minimum is global (Kawaguchi, 2016, theorem 2.3)."""
    shapes = [(b, a) for a, b in itertools.pairwise(widths)]
    ends = np.cumsum([a * b for a, b in shapes])
    M = np.random.default_rng(seed).standard_normal((widths[-1], widths[0]))

    def layers(x: Any) -> list[Any]:
        return [anp.reshape(part, shape) for part, shape in zip(np.split(x, ends[:-1]), shapes, strict=True)]

    def fun(x: Any) -> Any:
        product, start = np.eye(widths[0]), 0
        for end, shape in zip(ends, shapes, strict=True):
            product, start = anp.dot(anp.reshape(x[start:end], shape), product), end
        return anp.sum((product - M) ** 2)

    def orbit(x: Vector) -> Matrix:
        W, columns = layers(x), []
        for k in range(len(W) - 1):
            for A in np.eye(W[k].shape[0] ** 2).reshape(-1, W[k].shape[0], W[k].shape[0]):
                parts = [np.zeros_like(w) for w in W]
                parts[k], parts[k + 1] = A @ W[k], -W[k + 1] @ A
                columns.append(np.concatenate([p.ravel() for p in parts]))
        return np.array(columns).T

    return fun, orbit, float(np.sum(np.linalg.svd(M)[1][min(widths) :] ** 2))


def distances(points: int, dimension: int, seed: int) -> Function:
    """Σ(‖xᵢ − xⱼ‖² − dᵢⱼ²)² for the distances of random points."""
    i, j = np.triu_indices(points, 1)
    Y = np.random.default_rng(seed).standard_normal((points, dimension))
    d2 = np.sum((Y[i] - Y[j]) ** 2, axis=1)

    def fun(x: Any) -> Any:
        X = anp.reshape(x, (points, dimension))
        return anp.sum((anp.sum((X[i] - X[j]) ** 2, axis=1) - d2) ** 2)

    return fun


def phase_retrieval(n: int, seed: int) -> Function:
    """Mean (|⟨aₖ, z⟩|² − bₖ)² over 6n Gaussian measurements of a complex vector z = x + iy."""
    rng = np.random.default_rng(seed)
    A, B = (rng.standard_normal((6 * n, n)) for _ in range(2))
    u, v = (rng.standard_normal(n) for _ in range(2))
    b = (A @ u - B @ v) ** 2 + (A @ v + B @ u) ** 2

    def fun(z: Any) -> Any:
        x, y = z[:n], z[n:]
        intensity = (anp.dot(A, x) - anp.dot(B, y)) ** 2 + (anp.dot(A, y) + anp.dot(B, x)) ** 2
        return anp.mean((intensity - b) ** 2)

    return fun


def phase(z: Vector) -> Matrix:
    """The direction iz of a global phase."""
    n = z.size // 2
    return np.column_stack([np.concatenate([-z[n:], z[:n]])])


def softmax(features: int, classes: int, seed: int) -> Function:
    """Softmax regression with one column of weights too many: convex, flat along one direction for each feature."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((40 * classes, features)), rng.integers(0, classes, 40 * classes)

    def fun(w: Any) -> Any:
        s = anp.dot(X, anp.reshape(w, (features, classes)))
        return anp.mean(anp.log(anp.sum(anp.exp(s), axis=1)) - s[np.arange(y.size), y])

    return fun


def hat(x: Any) -> Any:
    """(‖x‖² − 1)²: a sphere of minima, a maximum in its centre."""
    return (anp.sum(x**2) - 1.0) ** 2


def sphere_tangent(x: Vector) -> Matrix:
    """The directions along the sphere through x."""
    Q: Matrix = np.linalg.qr(np.column_stack([x, np.eye(x.size)]))[0]
    return Q[:, 1 : x.size]
