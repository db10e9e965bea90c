"""A loss of a PyTorch module as an Objective of the vector of its parameters."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from newtonkit.derivatives.foreign import import_package
from newtonkit.linalg.kernels import Vector
from newtonkit.objectives.objective import Objective

_RANDOM = ("Dropout", "BatchNorm", "AlphaDropout", "FeatureAlphaDropout", "RReLU")


class ModuleObjective(NamedTuple):
    """What `from_module` returns."""

    objective: Objective
    x0: Vector
    """The parameters of the module as one vector, in the order of ``module.named_parameters()``."""
    write_back: Callable[[Any], Any]
    """write_back(x) copies a vector of parameters into the module, and returns the module."""


def from_module(module: Any, loss: Callable[[Any], Any]) -> ModuleObjective:
    """Make an Objective of the trainable parameters of a PyTorch module.

    The module is set to evaluation mode. Its parameters change only when ``write_back`` is called.

    Parameters
    ----------
    module : torch.nn.Module
        All trainable parameters must be float64: ``module.double()``. Parameters with ``requires_grad=False`` are
        constants; shared parameters are one variable.
    loss : callable
        loss(module), a tensor of one real number: it calls the module with the data and uses its parameters.

    Returns
    -------
    objective : Objective
        For `newtonkit.minimize`, `newtonkit.classify` and others; derivatives come from PyTorch.
    x0 : ndarray, shape (n,)
        A copy of the present parameters.
    write_back : callable
        write_back(x) copies x into the module and returns it.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    TypeError, ValueError
        If a trainable parameter is not float64, or if there is none.

    Warns
    -----
    UserWarning
        If the module contains dropout or batch normalization, which behave differently during training.

    Examples
    --------
    >>> import newtonkit
    >>> import torch  # doctest: +SKIP
    >>> net = torch.nn.Linear(2, 1).double()  # doctest: +SKIP
    >>> X, y = torch.eye(2).double(), torch.ones(2, 1).double()  # doctest: +SKIP
    >>> objective, x0, write_back = from_module(net, lambda net: ((net(X) - y) ** 2).sum())  # doctest: +SKIP
    >>> net = write_back(newtonkit.minimize(objective, x0).x)  # doctest: +SKIP
    """
    torch = import_package("torch")
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {module!r}")
    if not callable(loss):
        raise TypeError(f"loss must be callable as loss(module), got {loss!r}")
    parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}
    if not parameters:
        raise ValueError("module has no trainable parameters: none has requires_grad=True")
    for name, p in parameters.items():
        if p.dtype != torch.float64:
            raise TypeError(f"parameter {name!r} is {p.dtype}; write module.double(), and give the data in float64")
    _set_evaluation_mode(module)
    shapes = {name: p.shape for name, p in parameters.items()}
    sizes = [p.numel() for p in parameters.values()]

    class Bound(torch.nn.Module):  # type: ignore[misc,name-defined]
        """The loss as a module, so that PyTorch can replace the parameters during one call."""

        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self) -> Any:
            return loss(self.module)

    bound = Bound()
    bound.eval()
    device = next(iter(parameters.values())).device

    def fun(x: Any) -> Any:
        pieces = torch.split(x.to(device), sizes)
        values = {f"module.{name}": piece.reshape(shapes[name]) for name, piece in zip(shapes, pieces, strict=True)}
        return torch.func.functional_call(bound, values, ())

    def write_back(x: Any) -> Any:
        vector = torch.tensor(np.asarray(x, dtype=np.float64).reshape(-1))
        if vector.numel() != sum(sizes):
            raise ValueError(f"x must have {sum(sizes)} entries, got {vector.numel()}")
        with torch.no_grad():
            for p, piece in zip(parameters.values(), torch.split(vector, sizes), strict=True):
                p.copy_(piece.reshape(p.shape))
        return module

    x0 = np.concatenate([p.detach().cpu().numpy().reshape(-1) for p in parameters.values()])
    return ModuleObjective(Objective(fun, source="torch"), x0, write_back)


def _set_evaluation_mode(module: Any) -> None:
    """Set the evaluation mode; warn if the module contains layers that behave differently in it."""
    module.eval()
    random = sorted({type(layer).__name__ for layer in module.modules() if type(layer).__name__.startswith(_RANDOM)})
    if random:
        warnings.warn(
            f"the module contains {', '.join(random)}: it is used in evaluation mode, in which dropout is off and "
            "batch normalization uses its stored statistics; call module.train() afterwards to return to training mode",
            UserWarning,
            stacklevel=3,
        )
