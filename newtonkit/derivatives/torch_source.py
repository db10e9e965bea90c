"""Derivatives from PyTorch as a derivative source: "torch"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newtonkit.derivatives.autograd.tracing import trace_lock
from newtonkit.derivatives.foreign import flat_vector, hessian_in_blocks, import_package, real_scalar
from newtonkit.derivatives.linearization import Linearization
from newtonkit.derivatives.source import DerivativeSource
from newtonkit.linalg.kernels import Matrix, Vector


class TorchSource(DerivativeSource):
    """Exact derivatives in float64 of a function written with PyTorch.

    Parameters
    ----------
    fun : callable
        f(x, \\*args) of a float64 tensor x of shape (n,); returns one real float64 number as a tensor.
    args : tuple, optional
        numpy arrays in it, also inside dicts, lists and tuples, become tensors; floating-point arrays become float64.
        x lies on the device of the first tensor among them.

    Raises
    ------
    ImportError
        If PyTorch is not installed.

    Notes
    -----
    Hessian-vector products are reverse derivatives of the gradient, whose graph is kept for all products at a point
    (Pearlmutter, 1994). Blocks of vectors take one batched pass; where an operation has no batching rule, one pass per
    vector. Values stay on their device between the calls of one evaluation: x goes there, f, ∇f and ∇²f·v come back.
    """

    capabilities = frozenset({"linearize", "jacobian"})

    def __init__(self, fun: Callable[..., Any], args: tuple[Any, ...] = ()) -> None:
        self._torch = import_package("torch")
        self._fun = fun
        self._set_args(args)
        self._batched = True

    @property
    def description(self) -> str:
        """The word "torch"."""
        return "torch"

    def _set_args(self, args: tuple[Any, ...]) -> None:
        self._args = tuple(_with_tensors(self._torch, arg) for arg in args)
        self._device = next(_devices(self._torch, self._args), self._torch.device("cpu"))

    def with_args(self, args: tuple[Any, ...]) -> TorchSource:
        """Return the source of the same function for other arguments."""
        return TorchSource(self._fun, args)

    def plain(self, fun: Callable[..., Any]) -> Callable[..., Any]:
        """Return fun with tensors in place of numpy arrays, and without a graph."""

        def call(x: Vector, *args: Any) -> Any:
            return self._evaluate(fun, x, [_with_tensors(self._torch, arg) for arg in args])

        return call

    def _evaluate(self, fun: Callable[..., Any], x: Vector, tensors: Any) -> float:
        with self._torch.no_grad():
            return float(real_scalar(fun(self._tensor(x), *tensors), "torch"))

    def value(self, x: Vector) -> float:
        """Return f(x)."""
        with trace_lock:
            return self._evaluate(self._fun, x, self._args)

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return f(x) and ∇f(x)."""
        with trace_lock:
            f, g, _ = self._gradient(x, keep=False)
        return f, _array(g)

    def linearize(self, x: Vector) -> Linearization:
        """Return f, ∇f and v ↦ ∇²f·v; the graph of the gradient is kept for all products."""
        with trace_lock:
            f, g, z = self._gradient(x, keep=True)

        def product(v: Vector) -> Vector:
            if not g.requires_grad:  # f is linear in x
                return np.zeros_like(x)
            with trace_lock:
                return _array(self._pull(g, z, self._tensor(v), batched=False))

        def products(V: Matrix) -> Matrix:
            if not g.requires_grad or not len(V):
                return np.zeros_like(V)
            with trace_lock:
                return _array(self._products(g, z, V))

        return Linearization(f, _array(g), product, products, lambda: hessian_in_blocks(products, x.size))

    def residuals(self, x: Vector) -> Vector:
        """Return r(x), shape (m,), of a function that returns residuals."""
        with trace_lock, self._torch.no_grad():
            return _array(flat_vector(self._fun(self._tensor(x), *self._args)))

    def jacobian(self, x: Vector) -> Matrix:
        """Return the Jacobian of the residuals, shape (m, n).

        J·v is the reverse derivative of w ↦ Jᵀw, so that n passes suffice, however many residuals there are.
        """
        torch = self._torch
        with trace_lock, torch.enable_grad():
            z = self._tensor(x).requires_grad_()
            r = flat_vector(self._fun(z, *self._args))
            w = torch.zeros_like(r).requires_grad_()
            if not r.requires_grad:  # constant residuals
                return np.zeros((r.numel(), x.size))
            (g,) = torch.autograd.grad(r, z, w, create_graph=True, materialize_grads=True)
            return _array(self._products(g, w, np.eye(x.size))).T.copy()

    def pattern(self, x: Vector) -> tuple[None, str]:
        """Return None and the reason."""
        reason = 'sparsity patterns require derivatives="tape"; derivatives="torch" gives products and dense Hessians'
        return None, reason

    def _tensor(self, x: Any) -> Any:
        """A float64 tensor on the device; it shares no memory with x."""
        return self._torch.tensor(x, dtype=self._torch.float64, device=self._device)

    def _gradient(self, x: Vector, *, keep: bool) -> tuple[float, Any, Any]:
        """f, ∇f and the tensor x; ``keep``: with the graph of the gradient."""
        z = self._tensor(x).requires_grad_()
        with self._torch.enable_grad():
            value = real_scalar(self._fun(z, *self._args), "torch")
            if not value.requires_grad:  # f is constant
                return value.item(), self._torch.zeros_like(z), z
            (g,) = self._torch.autograd.grad(value.reshape(()), z, create_graph=keep, materialize_grads=True)
        return value.item(), g, z

    def _products(self, g: Any, z: Any, V: Matrix) -> Any:
        """The reverse derivatives of g with respect to z along all rows of V."""
        if self._batched:
            try:
                return self._pull(g, z, self._tensor(V), batched=True)
            except (RuntimeError, NotImplementedError):  # an operation without a batching rule
                self._batched = False
        return self._torch.stack([self._pull(g, z, v, batched=False) for v in self._tensor(V)])

    def _pull(self, g: Any, z: Any, v: Any, *, batched: bool) -> Any:
        (Hv,) = self._torch.autograd.grad(g, z, v, retain_graph=True, is_grads_batched=batched, materialize_grads=True)
        return Hv


def _array(tensor: Any) -> NDArray[np.float64]:
    """A float64 array of its own."""
    return np.array(tensor.detach().cpu().numpy(), dtype=np.float64)


def _with_tensors(torch: Any, value: Any) -> Any:
    """The value with tensors in place of numpy arrays."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        tensor = torch.tensor(value)  # a copy
        return tensor.double() if tensor.is_floating_point() else tensor
    if isinstance(value, dict):
        return {key: _with_tensors(torch, entry) for key, entry in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_with_tensors(torch, entry) for entry in value)
    return value


def _devices(torch: Any, value: Any) -> Any:
    """The devices of all tensors in a structure."""
    if isinstance(value, torch.Tensor):
        yield value.device
    elif isinstance(value, dict | list | tuple):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _devices(torch, entry)
