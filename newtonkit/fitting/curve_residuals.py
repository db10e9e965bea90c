"""The weighted residuals of a curve as a function of the free parameters and of the data; shared between fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from newtonkit.derivatives.residuals import flat_residuals
from newtonkit.fitting.weak_functions import SharedByFunction


@dataclass(frozen=True)
class ParameterMap:
    """All parameters of a model from the free ones.

    Attributes
    ----------
    names, free : tuple of str
        All parameters in the order of the model's signature, and those that are fitted.
    fixed : mapping of name to value
    tied : mapping of name to callable
        Parameters that follow from the others.
    """

    names: tuple[str, ...]
    free: tuple[str, ...]
    fixed: Mapping[str, float]
    tied: Mapping[str, Callable[[dict[str, Any]], Any]]

    def __call__(self, values: Any) -> list[Any]:
        """The arguments of the model."""
        if self.free == self.names:
            return [values[i] for i in range(len(self.free))]
        known: dict[str, Any] = {name: values[i] for i, name in enumerate(self.free)} | dict(self.fixed)
        for name, rule in self.tied.items():
            known[name] = rule(known)
        return [known[name] for name in self.names]


class CurveResiduals:
    """(values, x, y, weights) ↦ the weighted residuals f(x, \\*parameters) − y.

    Parameters
    ----------
    model : callable
        model() returns f.
    parameters : ParameterMap
    """

    def __init__(self, model: Callable[[], Any], parameters: ParameterMap) -> None:
        self._model, self._parameters = model, parameters

    def __call__(self, values: Any, x: Any, y: Any, weights: Any = None) -> Any:
        """The residuals, shape (m,).

        Raises
        ------
        ValueError
            If f does not return one number for each of y, or a number.
        """
        found = self._model()(x, *self._parameters(values))
        if isinstance(found, list | tuple):
            found = flat_residuals(found)
        shape = np.shape(found)
        if shape not in ((), np.shape(y)):
            raise ValueError(
                f"f must return {np.size(y)} values, one for each of ydata, got an array of shape {shape}; "
                f"xdata has shape {np.shape(x)}"
            )
        return weighted(found - y, weights)


def weighted(r: Any, weights: Any) -> Any:
    """r/σ for weights 1/σ, shape (m,), or Wr for a matrix W; rows of a Jacobian likewise."""
    if weights is None:
        return r
    return weights @ r if np.ndim(weights) == 2 else (r.T * weights).T


_shared: SharedByFunction[CurveResiduals] = SharedByFunction()


def curve_residuals(f: Callable[..., Any], parameters: ParameterMap, *, share: bool) -> CurveResiduals:
    """The residuals of a model; with ``share`` the same object for every call, so that its tapes are recorded once.

    A shared object refers to f weakly: the caller keeps f.
    """

    def itself() -> Any:
        return f

    known = None
    if share:
        # the map holds the tying functions, so that their identity remains theirs
        key = (
            parameters.names,
            parameters.free,
            tuple(sorted(parameters.fixed.items())),
            tuple(sorted((name, id(rule)) for name, rule in parameters.tied.items())),
        )
        known = _shared.get(f, key, lambda reference: CurveResiduals(reference, parameters))
    return CurveResiduals(itself, parameters) if known is None else known
