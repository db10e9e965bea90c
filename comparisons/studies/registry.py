"""All studies. Each is a module with one public function ``run(...) -> Document``.

An experiment, ``newtonkit experiment NAME``, has

    run(out: Path, *, seed: int = 0, quick: bool = False, …) -> Document

It writes its figures into the folder ``out``. ``quick`` is a version of a few seconds. Further keywords are its
options; ``QUICK``, if the module has it, holds their values in the quick version.

A measurement, ``newtonkit NAME``, has no figures and no folder.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

from comparisons.report.document import Document
from comparisons.report.files import write
from newtonkit.core.validation import check_integer, nearest_name

# name: (module, summary)
EXPERIMENTS = {
    "bowl": ("learning.bowl", "A bowl in two variables: effect of the learning rate, and methods with curvature."),
    "ellipse": ("learning.ellipse", "Thirty steps of four rules in a long valley, and methods with curvature."),
    "races": ("learning.races", "Animations of all methods on a valley, Beale's function, a saddle, several minima."),
    "schedules": ("learning.schedules", "Learning-rate schedules, with exact and with noisy gradients."),
    "moons": ("learning.moons", "Two moons by three rules, methods with curvature, and paths by batch size."),
    "digits": ("learning.digits", "A network on handwritten digits: tuned Adam and methods with curvature."),
    "mnist": ("learning.mnist", "Six first-order rules on MNIST, and methods with curvature on a subset."),
    "pinn": ("learning.pinn", "A physics-informed network: Adam, L-BFGS, self-scaled BFGS and Broyden, least squares."),
    "spectrum": ("learning.spectrum", "Eigenvalues of the Hessian of a network, at the start and after training."),
    "minibatch-lbfgs": ("learning.minibatch_lbfgs", "L-BFGS with sampled gradients, by batch size."),
}
MEASUREMENTS = {
    "benchmark": ("solvers.benchmark", "Solvers on the test problems: runs solved, reports of success, cost."),
    "overhead": ("solvers.overhead", "Time per iteration of each method, without user functions."),
    "overhead-training": ("solvers.training_speed", "Time of a training step, compared with PyTorch."),
    "derivatives": ("solvers.derivative_speed", "Time of derivatives from each source."),
    "derivatives-sparse": ("solvers.sparse_speed", "Time of sparse Hessians."),
    "walltime": ("solvers.wall_time", "Time of whole runs, ours and scipy's."),
    "fits": ("solvers.fits", "Least squares on NIST's data and with outliers: ours, scipy's, lmfit."),
    "fit-coverage": ("solvers.fit_coverage", "How often intervals of fitted parameters contain the true value."),
    "classifier": ("critical_points.classifier", "Verdicts on points of known kind."),
    "finder": ("critical_points.finder", "Lists of critical points where their number is known."),
}
_STUDIES = EXPERIMENTS | MEASUREMENTS


def names() -> list[str]:
    """The experiments, simple ones first."""
    return list(EXPERIMENTS)


def summary(name: str) -> str:
    """A study in one sentence.

    Raises
    ------
    ValueError
        With the nearest name, if there is no such study.
    """
    return _known(name)[1]


def options(name: str) -> list[str]:
    """The options of a study."""
    parameters = inspect.signature(_module(name).run).parameters
    return [option for option in parameters if option not in ("out", "seed", "quick")]


def measure(name: str, **settings: Any) -> Document:
    """Run a measurement with these options."""
    document: Document = _module(name).run(**settings)
    return document


def run(name: str, out: Path | str, *, seed: int = 0, quick: bool = False, **settings: Any) -> Document:
    """Run an experiment and write its figures, ``report.md`` and ``report.html``.

    Parameters
    ----------
    name : str
        One of `names`.
    out : Path or str
        Folder; made if needed.
    seed : int, default 0
        Of all random numbers: the same seed gives the same figures.
    quick : bool, default False
        A version of a few seconds, too short for conclusions.
    **settings
        Options of the experiment, see `options`; they apply in the quick version too.

    Raises
    ------
    ValueError
        For an unknown name or option.
    """
    if name not in EXPERIMENTS:
        raise ValueError(f"unknown experiment {name!r}; {nearest_name(name, names())}")
    for option in settings:
        if option not in options(name):
            hint = nearest_name(option, options(name)) if options(name) else "it has only seed and quick"
            raise ValueError(f"experiment {name} has no option {option!r}; {hint}")
    check_integer("seed", seed, 0)
    module = _module(name)
    folder = Path(out)
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        document: Document = module.run(
            folder, seed=seed, quick=quick, **(getattr(module, "QUICK", {}) if quick else {}) | settings
        )
    except Exception:
        if is_new and not any(folder.iterdir()):
            folder.rmdir()  # a wrong option leaves nothing behind
        raise
    write(document, folder)
    return document


def _known(name: str) -> tuple[str, str]:
    if name not in _STUDIES:
        raise ValueError(f"unknown study {name!r}; {nearest_name(name, list(_STUDIES))}")
    return _STUDIES[name]


def _module(name: str) -> Any:
    return import_module(f"comparisons.studies.{_known(name)[0]}")
