"""The models of NIST's nonlinear regression data sets, as their files state them.

Each takes the parameters b and the predictor x, and returns the predicted responses; written with autograd.numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np

Model = Callable[[Any, Any], Any]


def _misra1a(b: Any, x: Any) -> Any:
    return b[0] * (1.0 - np.exp(-b[1] * x))


def _misra1b(b: Any, x: Any) -> Any:
    return b[0] * (1.0 - (1.0 + b[1] * x / 2.0) ** (-2))


def _misra1c(b: Any, x: Any) -> Any:
    return b[0] * (1.0 - (1.0 + 2.0 * b[1] * x) ** (-0.5))


def _misra1d(b: Any, x: Any) -> Any:
    return b[0] * b[1] * x * (1.0 + b[1] * x) ** (-1)


def _chwirut(b: Any, x: Any) -> Any:
    return np.exp(-b[0] * x) / (b[1] + b[2] * x)


def _gauss(b: Any, x: Any) -> Any:
    peaks = b[2] * np.exp(-((x - b[3]) ** 2) / b[4] ** 2) + b[5] * np.exp(-((x - b[6]) ** 2) / b[7] ** 2)
    return b[0] * np.exp(-b[1] * x) + peaks


def _lanczos(b: Any, x: Any) -> Any:
    return b[0] * np.exp(-b[1] * x) + b[2] * np.exp(-b[3] * x) + b[4] * np.exp(-b[5] * x)


def _danwood(b: Any, x: Any) -> Any:
    return b[0] * x ** b[1]


def _cubic_over_cubic(b: Any, x: Any) -> Any:
    numerator = b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3
    return numerator / (1.0 + b[4] * x + b[5] * x**2 + b[6] * x**3)


def _kirby2(b: Any, x: Any) -> Any:
    return (b[0] + b[1] * x + b[2] * x**2) / (1.0 + b[3] * x + b[4] * x**2)


def _nelson(b: Any, x: Any) -> Any:
    return b[0] - b[1] * x[0] * np.exp(-b[2] * x[1])


def _mgh17(b: Any, x: Any) -> Any:
    return b[0] + b[1] * np.exp(-x * b[3]) + b[2] * np.exp(-x * b[4])


def _mgh09(b: Any, x: Any) -> Any:
    return b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3])


def _mgh10(b: Any, x: Any) -> Any:
    return b[0] * np.exp(b[1] / (x + b[2]))


def _enso(b: Any, x: Any) -> Any:
    def wave(cosine: Any, sine: Any, period: Any) -> Any:
        phase = 2.0 * np.pi * x / period
        return cosine * np.cos(phase) + sine * np.sin(phase)

    return b[0] + wave(b[1], b[2], 12.0) + wave(b[4], b[5], b[3]) + wave(b[7], b[8], b[6])


def _rat42(b: Any, x: Any) -> Any:
    return b[0] / (1.0 + np.exp(b[1] - b[2] * x))


def _rat43(b: Any, x: Any) -> Any:
    return b[0] / (1.0 + np.exp(b[1] - b[2] * x)) ** (1.0 / b[3])


def _eckerle4(b: Any, x: Any) -> Any:
    return (b[0] / b[1]) * np.exp(-0.5 * ((x - b[2]) / b[1]) ** 2)


def _roszman1(b: Any, x: Any) -> Any:
    return b[0] - b[1] * x - np.arctan(b[2] / (x - b[3])) / np.pi


def _bennett5(b: Any, x: Any) -> Any:
    return b[0] * (b[1] + x) ** (-1.0 / b[2])


MODELS: dict[str, Model] = {
    "Bennett5": _bennett5,
    "BoxBOD": _misra1a,
    "Chwirut1": _chwirut,
    "Chwirut2": _chwirut,
    "DanWood": _danwood,
    "ENSO": _enso,
    "Eckerle4": _eckerle4,
    "Gauss1": _gauss,
    "Gauss2": _gauss,
    "Gauss3": _gauss,
    "Hahn1": _cubic_over_cubic,
    "Kirby2": _kirby2,
    "Lanczos1": _lanczos,
    "Lanczos2": _lanczos,
    "Lanczos3": _lanczos,
    "MGH09": _mgh09,
    "MGH10": _mgh10,
    "MGH17": _mgh17,
    "Misra1a": _misra1a,
    "Misra1b": _misra1b,
    "Misra1c": _misra1c,
    "Misra1d": _misra1d,
    "Nelson": _nelson,
    "Rat42": _rat42,
    "Rat43": _rat43,
    "Roszman1": _roszman1,
    "Thurber": _cubic_over_cubic,
}
