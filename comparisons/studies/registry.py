"""The experiments of ``newtonkit experiment NAME``: one module each, which draws its figures and tells what they show.

A module named in the list below has one public function,

    run(out: Path, *, seed: int = 0, quick: bool = False, …) -> Report

which writes its figures into the folder and returns the rest; ``quick`` is a version of a few seconds. Further keywords
are options of the experiment, and ``QUICK``, if there is one, what they are in the quick version unless given. The
module of ``minibatch-lbfgs`` is ``minibatch_lbfgs``.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from comparisons.report.document import Document
from comparisons.report.files import write
from newtonkit.core.validation import check_integer, nearest_name

_SUMMARIES = {
    "bowl": "a two-variable bowl: the rate decides, and what curvature makes of it",
    "ellipse": "thirty steps of four rules in a long valley, and what curvature makes of it",
    "races": "films of all methods on a valley, Beale's function, a saddle and several minima, by cost",
    "schedules": "learning-rate schedules, and what they do to gradient descent with exact and with noisy gradients",
    "moons": "two moons by three rules as a document runs them; then curvature, and paths by the size of a batch",
    "digits": "a network on handwritten digits: what Adam at tuned rates and methods with curvature need to fit them",
    "mnist": "six first-order rules on MNIST as a document runs them; then curvature on a subset",
    "minibatch-lbfgs": "what becomes of L-BFGS when its gradients are sampled, by the size of the batch",
}


def names() -> list[str]:
    """The experiments, in the order in which they are best read."""
    return list(_SUMMARIES)


def summary(name: str) -> str:
    """What an experiment shows, in one line.

    Raises
    ------
    ValueError
        With the nearest name, if there is no such experiment.
    """
    return _SUMMARIES[_known(name)]


def options(name: str) -> list[str]:
    """The keywords that the experiment takes beside ``seed`` and ``quick``."""
    parameters = inspect.signature(_module(name).run).parameters
    return [option for option in parameters if option not in ("out", "seed", "quick")]


def run(name: str, out: Path | str, *, seed: int = 0, quick: bool = False, **further: Any) -> Document:
    """Run an experiment and write its figures, ``report.md`` and ``report.html``.

    Parameters
    ----------
    name : str
        One of `names`.
    out : Path or str
        Folder; made if needed.
    seed : int, default 0
        Of everything random in it: the same seed gives the same figures.
    quick : bool, default False
        A version of a few seconds, too short for conclusions.
    **further
        Options of the experiment, see `options`; they hold in the quick version too.

    Returns
    -------
    Document

    Raises
    ------
    ValueError
        For an unknown name or option.
    """
    module = _module(name)
    for option in further:
        if option not in options(name):
            has = nearest_name(option, options(name)) if options(name) else "it takes none beside seed and quick"
            raise ValueError(f"experiment {name} has no option {option!r}; {has}")
    check_integer("seed", seed, 0)
    settings = (getattr(module, "QUICK", {}) if quick else {}) | further
    folder = Path(out)
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        document: Document = module.run(folder, seed=seed, quick=quick, **settings)
    except Exception:
        if new and not any(folder.iterdir()):
            folder.rmdir()  # a wrong option leaves nothing behind
        raise
    write(document, folder)
    return document


def _known(name: str) -> str:
    if name not in _SUMMARIES:
        raise ValueError(f"unknown experiment {name!r}; {nearest_name(name, names())}")
    return name


def _module(name: str) -> ModuleType:
    return import_module(f"comparisons.studies.{_known(name).replace('-', '_')}")
