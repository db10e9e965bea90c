"""Derivatives from JAX as a derivative source: "jax"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from newtonkit.derivatives.autograd.tracing import as_number, trace_lock
from newtonkit.derivatives.foreign import flat_vector, hessian_in_blocks, import_package, padded_products, real_scalar
from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.pytree import is_input
from newtonkit.derivatives.source import DerivativeSource
from newtonkit.linalg.kernels import Matrix, Vector


class JaxSource(DerivativeSource):
    """Exact derivatives in float64 of a function written with ``jax.numpy``.

    Parameters
    ----------
    fun : callable
        f(x, \\*args) of a JAX array x of shape (n,); returns one real float64 number.
    args : tuple, optional
        Arrays and floats in it, also inside dicts, lists and tuples, are inputs of the compiled functions. Everything
        else is a constant of them.

    Raises
    ------
    ImportError
        If JAX is not installed.
    ValueError
        If JAX computes in float32.

    Notes
    -----
    Each kind of request is compiled once for each shape of x and args: the value, the value with the gradient, the
    linearization, products, and products with blocks of vectors. `description` counts the compilations. Compilation
    takes 0.1 to 0.4 s for small functions (our measurement).

    References
    ----------
    Bradbury et al. (2018), JAX: composable transformations of Python+NumPy programs.
    """

    capabilities = frozenset({"linearize", "jacobian"})

    def __init__(self, fun: Callable[..., Any], args: tuple[Any, ...] = ()) -> None:
        jax = import_package("jax")
        if not jax.config.jax_enable_x64:
            raise ValueError(
                'derivatives="jax" requires float64, but JAX computes in float32; write '
                'jax.config.update("jax_enable_x64", True) before the first JAX array is made'
            )
        self._programs = _Programs(jax, fun)
        self._layout, self._inputs = _split(jax, args)

    @property
    def description(self) -> str:
        """The word "jax", and how many functions were compiled."""
        return f"jax ({self._programs.compilations} functions compiled)"

    def with_args(self, args: tuple[Any, ...]) -> JaxSource:
        """Return the source of the same function for other arguments; compiled functions are shared."""
        other = object.__new__(JaxSource)
        other._programs = self._programs
        other._layout, other._inputs = _split(self._programs.jax, args)
        return other

    def plain(self, fun: Callable[..., Any]) -> Callable[..., Any]:
        """Return fun with a JAX array in place of the numpy array x."""
        as_array = self._programs.jax.numpy.asarray
        return lambda x, *args: fun(as_array(x), *args)

    def value(self, x: Vector) -> float:
        """Return f(x), compiled."""
        with trace_lock:
            return as_number(np.asarray(self._programs.value(self._layout, x, self._inputs)))

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return f(x) and ∇f(x)."""
        with trace_lock:
            f, g = self._programs.gradient(self._layout, x, self._inputs)
        return float(f), np.array(g)  # arrays of JAX are read-only: copies

    def linearize(self, x: Vector) -> Linearization:
        """Return f, ∇f and v ↦ ∇²f·v; the part that does not depend on v is evaluated once."""
        programs = self._programs
        with trace_lock:
            f, g, push = programs.linearization(self._layout, x, self._inputs)

        def product(v: Vector) -> Vector:
            return np.array(programs.product(push, v))

        def block(V: Matrix) -> Matrix:
            return np.array(programs.products(push, V))

        return Linearization(
            float(f),
            np.array(g),
            product,
            lambda V: padded_products(block, V),
            lambda: hessian_in_blocks(lambda V: padded_products(block, V), x.size),
        )

    def residuals(self, x: Vector) -> Vector:
        """Return r(x), shape (m,), of a function that returns residuals."""
        with trace_lock:
            return np.array(self._programs.residuals(self._layout, x, self._inputs))

    def jacobian(self, x: Vector) -> Matrix:
        """Return the Jacobian of the residuals, shape (m, n), by n forward passes in one block."""
        with trace_lock:
            return np.array(self._programs.jacobian(self._layout, x, self._inputs))

    def pattern(self, x: Vector) -> tuple[None, str]:
        """Return None and the reason."""
        return None, 'sparsity patterns require derivatives="tape"; derivatives="jax" gives products and dense Hessians'


class _Programs:
    """The compiled functions of one user function; ``compilations`` counts them."""

    def __init__(self, jax: Any, fun: Callable[..., Any]) -> None:
        self.jax = jax
        self.compilations = 0

        def scalar(layout: _Layout, x: Any, inputs: Any) -> Any:
            return real_scalar(fun(x, *layout.args(jax, inputs)), "jax.numpy").reshape(())

        def vector(layout: _Layout, x: Any, inputs: Any) -> Any:
            return flat_vector(fun(x, *layout.args(jax, inputs)))

        def linearization(layout: _Layout, x: Any, inputs: Any) -> Any:
            both = jax.value_and_grad(lambda z: scalar(layout, z, inputs))
            (f, g), push = jax.linearize(both, x)
            return f, g, push

        compiled = self._compiled
        self.value = compiled(scalar, static=True)
        self.gradient = compiled(jax.value_and_grad(scalar, argnums=1), static=True)
        self.linearization = compiled(linearization, static=True)
        self.residuals = compiled(vector, static=True)
        self.jacobian = compiled(jax.jacfwd(vector, argnums=1), static=True)
        self.product = compiled(lambda push, v: push(v)[1])
        self.products = compiled(lambda push, V: jax.vmap(lambda v: push(v)[1])(V))

    def _compiled(self, function: Callable[..., Any], *, static: bool = False) -> Any:
        def counted(*arguments: Any) -> Any:
            self.compilations += 1  # this line runs only while JAX traces the function in order to compile it
            return function(*arguments)

        return self.jax.jit(counted, static_argnums=0 if static else None)


class _Layout(NamedTuple):
    """Arguments without their arrays and floats: hashable, so that JAX compiles once for each."""

    tree: Any
    leaves: tuple[Any, ...]
    """Constants; None where an input belongs."""
    is_input: tuple[bool, ...]

    def args(self, jax: Any, inputs: Any) -> tuple[Any, ...]:
        """The arguments with these inputs."""
        following = iter(inputs)
        leaves = [next(following) if own else leaf for leaf, own in zip(self.leaves, self.is_input, strict=True)]
        args: tuple[Any, ...] = jax.tree_util.tree_unflatten(self.tree, leaves)
        return args


def _split(jax: Any, args: tuple[Any, ...]) -> tuple[_Layout, list[Any]]:
    """The layout of arguments, and their arrays and floats."""
    leaves, tree = jax.tree_util.tree_flatten(args)
    own = tuple(is_input(leaf) or isinstance(leaf, jax.Array) for leaf in leaves)
    layout = _Layout(tree, tuple(None if i else leaf for leaf, i in zip(leaves, own, strict=True)), own)
    try:
        hash(layout)
    except TypeError:
        raise TypeError(
            'with derivatives="jax", args must hold arrays, numbers and hashable constants, also inside dicts and lists'
        ) from None
    return layout, [leaf for leaf, i in zip(leaves, own, strict=True) if i]
