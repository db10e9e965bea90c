"""Plain autograd: exact derivatives of a function written with ``autograd.numpy``. It is the reference for the tape.

One reverse pass gives f and ∇f (Griewank & Walther, 2008, *Evaluating Derivatives*, ch. 4). Differentiating this pass
once more gives the map v ↦ ∇²f·v without the matrix, and ∇f as well (Pearlmutter, 1994, Neural Computation 6, 147).

The stack of open traces of autograd is global to the process, so one lock is held during every trace.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from autograd.core import VJPNode, backward_pass
from autograd.extend import vspace
from autograd.tracer import getval, isbox, new_box, trace_stack

from newtonkit.derivatives.autograd.hints import explain_foreign_tensors, explanation
from newtonkit.derivatives.autograd.interpolation import define_broadcast_where, define_interpolation, define_pad
from newtonkit.derivatives.autograd.pandas_operands import support_pandas
from newtonkit.derivatives.autograd.sparse_products import support_sparse_products
from newtonkit.derivatives.autograd.special_functions import define_special_functions
from newtonkit.linalg.kernels import Matrix, Vector

define_broadcast_where()
define_interpolation()
define_pad()
define_special_functions()
support_sparse_products()

# held during every trace, and during plain calls of functions that may trace inside
trace_lock = threading.RLock()


_MIXED = "the result is a plain numpy array that contains autograd's boxes"


class DifferentiationError(TypeError):
    """autograd could not differentiate a function that works on plain numbers.

    Examples
    --------
    >>> import math
    >>> import newtonkit
    >>> try:
    ...     newtonkit.grad(lambda x: math.exp(x[0]))([1.0])
    ... except newtonkit.DifferentiationError as error:
    ...     print("differences" in str(error))
    True
    """


def as_number(result: Any) -> float:
    """The value that a user's function returned, as a float.

    Raises
    ------
    TypeError
        If it is not one real number.
    """
    if isinstance(result, float):  # includes numpy's float64
        return float(result)
    array = np.asarray(result)
    real = array.dtype.kind in "fiub"
    if array.size == 1 and real:
        return float(array.item())
    if isinstance(result, list | tuple) and len(result) == 1:
        got = f"a {type(result).__name__} of one entry; return the entry"
    elif array.dtype.kind == "c":
        got = f"a complex number: {result!r}"
    elif real:
        got = f"an array of shape {array.shape}; for a sum of squares return 0.5 * np.sum(r**2), or use least_squares"
    else:
        got = repr(result)
    raise TypeError(f"fun must return one real number, got {got}")


def trace_gradient(fun: Callable[[Any], Any], x: Vector) -> tuple[Any, Vector]:
    """f(x) as ``fun`` returned it, and ∇f(x), from one trace.

    Raises
    ------
    DifferentiationError
        If ``fun`` works on plain numbers but cannot be traced.
    """
    with trace_lock:
        try:
            value, back = pullback(fun, x)
            g = back(unit(value))
            _require_numbers(g)
        except Exception as error:
            raise _explained(error, fun, x) from error
    return value, g


def trace_linearization(fun: Callable[[Any], Any], x: Vector) -> tuple[Any, Vector, Callable[[Vector], Vector]]:
    """f(x), ∇f(x) and the map v ↦ ∇²f(x)·v, from one nested trace.

    Raises
    ------
    DifferentiationError
        If ``fun`` works on plain numbers but cannot be traced.
    """
    values = []

    def gradient(z: Any) -> Any:
        value, back = pullback(fun, z)
        values.append(getval(value))
        return back(unit(value))

    with trace_lock:
        try:
            g, product = pullback(gradient, x)
            _require_numbers(g)
        except Exception as error:
            raise _explained(error, fun, x) from error
    return values[0], getval(g), product


def trace_jacobian_product(gradient: Callable[[Any], Any], x: Vector) -> Callable[[Vector], Vector]:
    """v ↦ ∇gᵀv for a gradient g given by the user: the Hessian-vector product, since the Hessian is symmetric.

    Raises
    ------
    DifferentiationError
        If ``gradient`` cannot be traced. It is called only once, with autograd's boxes.
    """
    with trace_lock:
        try:
            _, product, depends = _trace(gradient, x)
            if not depends:
                # the gradient is constant, or more likely comes from a cache
                raise TypeError("the result does not depend on x")
        except Exception as error:
            raise DifferentiationError(f"the gradient cannot be traced ({type(error).__name__}: {error})") from error
    return product


def pullback(fun: Callable[[Any], Any], x: Any) -> tuple[Any, Callable[[Any], Any]]:
    """fun(x) and w ↦ (∂fun/∂x)ᵀw."""
    value, back, _ = _trace(fun, x)
    return value, back


def _trace(fun: Callable[[Any], Any], x: Any) -> tuple[Any, Callable[[Any], Any], bool]:
    """fun(x), w ↦ (∂fun/∂x)ᵀw, and whether fun(x) depends on x.

    ``autograd.core.make_vjp`` does the same. But it warns if the output does not depend on x, which is legitimate
    here (f is constant), and after an exception it leaves the trace stack one level too high.
    """
    support_pandas()
    height = trace_stack.top
    try:
        with trace_stack.new_trace() as trace:
            end = fun(new_box(x, trace, VJPNode.new_root()))
            if isbox(end) and end._trace == trace:
                node = end._node
                if isbox(end._value) and not isbox(x):
                    raise TypeError(_MIXED)
                return end._value, lambda w: backward_pass(w, node), True
    finally:
        trace_stack.top = height
    if isinstance(end, np.ndarray) and end.dtype.hasobject:
        raise TypeError(_MIXED)
    return end, lambda w: vspace(x).zeros(), False


def _require_numbers(g: Any) -> None:
    """Raise TypeError if a gradient is an array of Python objects."""
    if getattr(g, "dtype", None) == np.object_:
        raise TypeError(_MIXED)


def unit(value: Any) -> Any:
    """The number 1 with which the reverse pass starts."""
    if isinstance(value, int | np.integer):  # a constant function
        return 1.0
    space = vspace(value)
    if space.size != 1 or space.iscomplex:
        raise TypeError("fun did not return one real number")
    return space.ones()


def _explained(error: Exception, fun: Callable[[Any], Any], x: Vector) -> Exception:
    """The error that ``fun`` raises on plain numbers too, if any; otherwise one that explains how to write fun."""
    if not isinstance(error, TypeError | ValueError | AttributeError | NotImplementedError):
        return error  # not caused by autograd's boxes
    try:
        as_number(fun(x.copy()))
    except Exception as own:
        explain_foreign_tensors(own)
        return own
    return DifferentiationError(
        f"autograd could not differentiate the function ({type(error).__name__}: {error}): {explanation(error)}"
    )


def dense_from_products(times: Callable[[Vector], Vector], n: int) -> Matrix:
    """The matrix of a linear map, column by column, made exactly symmetric."""
    columns = np.empty((n, n))
    unit = np.zeros(n)
    for i in range(n):
        unit[i] = 1.0
        columns[i] = times(unit)
        unit[i] = 0.0
    return 0.5 * (columns + columns.T)
