"""NIST's regression data sets as objects: data, model, starts and certified values.

The files in ``data/`` are NIST's own, in the public domain as work of the United States government
(https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from problems.nist.models import MODELS, Model

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NistFit:
    """One data set.

    Attributes
    ----------
    name : str
    model : callable
        model(b, x), the predicted responses.
    x : ndarray, shape (m,), or (2, m) for Nelson
    y : ndarray, shape (m,)
        The responses; their logarithm for Nelson, whose model is that of log y.
    starts : tuple of two ndarrays, shape (n,)
        The far and the near start.
    certified, deviations : ndarray, shape (n,)
        Certified parameters and their standard deviations, to 11 digits.
    residual_sum : float
        Certified residual sum of squares.
    difficulty : str
        "lower", "average" or "higher", by NIST.
    """

    name: str
    model: Model = field(repr=False)
    x: Vector = field(repr=False)
    y: Vector = field(repr=False)
    starts: tuple[Vector, Vector]
    certified: Vector
    deviations: Vector
    residual_sum: float
    difficulty: str

    def residuals(self, b: Any) -> Any:
        """model(b, x) − y."""
        return self.model(b, self.x) - self.y


def names() -> list[str]:
    """The names of the data sets."""
    return list(MODELS)


@cache
def data_set(name: str) -> NistFit:
    """One data set by its name.

    Raises
    ------
    KeyError
        If there is none of this name.

    Examples
    --------
    >>> fit = data_set("Misra1a")
    >>> fit.y.size, fit.starts[0].tolist(), float(fit.certified[0])
    (14, [500.0, 0.0001], 238.94212918)
    """
    model = MODELS[name]
    text = files("problems.nist").joinpath(f"data/{name}.dat").read_text(encoding="ascii")
    parameters = np.array(
        [list(map(float, row.split())) for row in re.findall(r"^\s*b\d+\s*=\s*(.+)$", text, re.MULTILINE)]
    )
    residual_sum = float(_after("Residual Sum of Squares:", text))
    difficulty = re.search(r"(\w+) Level of Difficulty", text)
    count = int(_after("Number of Observations:", text))
    numbers = np.array([list(map(float, line.split())) for line in text.strip().splitlines()[-count:]])
    y, x = numbers[:, 0], numbers[:, 1] if numbers.shape[1] == 2 else numbers[:, 1:].T
    if name == "Nelson":
        y = np.log(y)
    return NistFit(
        name,
        model,
        np.ascontiguousarray(x),
        np.ascontiguousarray(y),
        (parameters[:, 0].copy(), parameters[:, 1].copy()),
        parameters[:, 2].copy(),
        parameters[:, 3].copy(),
        residual_sum,
        difficulty.group(1).lower() if difficulty else "",
    )


def _after(label: str, text: str) -> str:
    match = re.search(re.escape(label) + r"\s*(\S+)", text)
    assert match is not None, label
    return match.group(1)
