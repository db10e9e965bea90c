"""A solver by its name with parameters, as a configured method, or as a callable of scipy's signature."""

from __future__ import annotations

import dataclasses
import inspect
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scipy.optimize import OptimizeWarning
from scipy.optimize import minimize as scipy_minimize

from comparisons.running import scipy_solvers as reference
from newtonkit.automatic import select_methods
from newtonkit.core.validation import check_integer, nearest_name
from newtonkit.driver.method import Method
from newtonkit.linalg.kernels import Vector
from newtonkit.methods.first_order import FirstOrder, GradientTransform
from newtonkit.methods.registry import METHODS, canonical_name, make_method, option_names
from newtonkit.methods.transforms.composition import FirstOrderRule
from newtonkit.objectives.objective import Objective

_NAME = re.compile(r"\s*([^\[\]]+?)\s*(?:\[(.*)\])?\s*", re.DOTALL)
_WORDS = {"true": True, "false": False, "none": None}
AUTO = "auto"
"""The method that `newtonkit.minimize` chooses by itself, with its fallbacks."""
_SIMPLE = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class Solver:
    """A solver of a comparison: see `as_solver`."""

    label: str
    """Its name in records: ``lbfgs[memory=20]``; scipy's with the prefix ``scipy:``."""
    name: str
    """The label without parameters."""
    options: Mapping[str, Any] = field(default_factory=dict)
    rate: str = ""
    """"tuned" or "default" if the learning rate is found in that way; else empty."""
    batch: int = 0
    """Samples of a mini-batch; 0: all data."""
    target: Any = field(default=None, compare=False)
    """The callable or the method itself, if the label does not define it."""

    @property
    def is_scipys(self) -> bool:
        """Whether it is one of `reference.SOLVERS`."""
        return self.target is None and self.name.startswith("scipy:")

    @property
    def is_callable(self) -> bool:
        """Whether it is a callable of scipy's signature."""
        return self.target is not None and not hasattr(self.target, "step")

    @property
    def accepts_bounds(self) -> bool:
        """Whether it can keep x within bounds."""
        if self.is_scipys:
            return self.name.removeprefix("scipy:") in reference.BOUNDED_SOLVERS
        if self.is_callable:
            return "bounds" in accepted(self.target)
        return not self.batch and (self.name == AUTO or bool(getattr(self.method(), "accepts_bounds", False)))

    def portfolio(self, objective: Objective, x0: Vector, **options: Any) -> tuple[Method, tuple[Method, ...]]:
        """Our method with these options added, and the methods that take over if it fails."""
        if self.name == AUTO:
            choice = select_methods(objective, x0)
            return choice.method, choice.fallbacks
        return self.method(**options), ()

    def method(self, **options: Any) -> Method:
        """Our method with these options added."""
        if self.target is not None and hasattr(self.target, "step"):
            return make_method(self.target, **options)
        return make_method(self.name, **{**self.options, **options})


def as_solver(given: Any) -> Solver:
    """The solver given by a name, a method or a callable.

    Parameters
    ----------
    given : str, method, or callable
        The name of one of our methods, "auto", or one of scipy's with the prefix ``scipy:``, in upper or lower case,
        with parameters in brackets if any: ``"lbfgs[memory=20]"``, ``"scipy:L-BFGS-B[maxcor=20]"``. A learning rate is
        tuned unless it is given: ``"adam[rate=0.01]"``; ``"adam[rate=default]"`` is the default of the method.
        ``"adam[batch=64]"`` runs on mini-batches, on problems that are means over samples. Or an
        instance such as ``newtonkit.LBFGS(memory=20)``. Or a callable
        ``solver(fun, x0, jac=…, hess=…, hessp=…, callback=…, bounds=…)`` that returns scipy's OptimizeResult; of these
        arguments it is passed those that it has. One without ``bounds`` is not run on problems with bounds.

    Raises
    ------
    ValueError, TypeError
        For an unknown name or parameter; the message gives the nearest valid name.

    Examples
    --------
    >>> as_solver("L-BFGS[memory = 20]").label
    'lbfgs[memory=20]'
    >>> as_solver("adam").rate, as_solver("adam[rate=0.01]").rate
    ('tuned', '')
    """
    if isinstance(given, Solver):
        return given
    if isinstance(given, str):
        return _by_name(given)
    if isinstance(given, type):
        raise TypeError(f"a method must be an instance, got the class {given.__name__}; write {given.__name__}()")
    if hasattr(given, "step") or isinstance(given, GradientTransform):
        return _by_instance(given)
    if not callable(given):
        raise TypeError(f"a method must be a name, a method such as newtonkit.LBFGS(), or a callable; got {given!r}")
    name = getattr(given, "__name__", type(given).__name__)
    return Solver(name, name, target=given)


def split_name(text: str) -> tuple[str, dict[str, Any]]:
    """The name and the parameters of ``"name[key=value, …]"``; numbers, true, false and none are converted.

    Raises
    ------
    ValueError
        If the text has another form.

    Examples
    --------
    >>> split_name("rosenbrock[n=10]")
    ('rosenbrock', {'n': 10})
    """
    match = _NAME.fullmatch(text)
    if match is None:
        raise ValueError(f"a name with parameters must look like lbfgs[memory=20], got {text!r}")
    name, inside = match.groups()
    parameters = {}
    for part in filter(str.strip, (inside or "").split(",")):
        key, sign, value = map(str.strip, part.partition("="))
        if not (key and sign and value):
            raise ValueError(f"parameters must look like [memory=20, …], got {part.strip()!r} in {text!r}")
        if key in parameters:
            raise ValueError(f"parameter {key!r} is given twice in {text!r}")
        parameters[key] = literal(value)
    return name, parameters


def joined_name(name: str, parameters: Mapping[str, Any]) -> str:
    """The inverse of `split_name`; the parameters in alphabetical order.

    Examples
    --------
    >>> joined_name("adam", {"rate": 0.01, "amsgrad": True})
    'adam[amsgrad=true, rate=0.01]'
    """
    if not parameters:
        return name
    return f"{name}[{', '.join(f'{key}={_written(parameters[key])}' for key in sorted(parameters))}]"


def literal(text: str) -> Any:
    """An int, a float, true, false, none, or else the text itself."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return _WORDS.get(text.lower(), text)


def _written(value: Any) -> str:
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _by_name(text: str) -> Solver:
    given, parameters = split_name(text)
    if given.lower().startswith("scipy:"):
        return _scipys(given, parameters)
    if given.lower() == AUTO:
        if parameters:
            raise ValueError(f"{AUTO} has no parameter {next(iter(parameters))!r}; it has none")
        return Solver(AUTO, AUTO)
    name = canonical_name(given)
    known = [key for key in option_names(name) if isinstance(_default(name, key), _SIMPLE)]
    batch = 0
    if "batch" in parameters and issubclass(METHODS[name], GradientTransform):
        batch = parameters.pop("batch")
        check_integer("batch", batch, 1)
    for key in parameters:
        if key not in known:
            raise ValueError(f"{name} has no parameter {key!r}; {_has(known, key)}")
    rate = ""
    if issubclass(METHODS[name], GradientTransform) and isinstance(parameters.get("rate", "tuned"), str):
        rate = parameters.pop("rate", "tuned")
        if rate not in ("tuned", "default"):
            raise ValueError(f"rate must be a number, tuned or default, got {rate!r} in {text!r}")
    make_method(name, **parameters)  # raises for a value out of range
    shown = {"rate": rate} if rate == "default" else {}
    label = joined_name(name, parameters | shown | ({"batch": batch} if batch else {}))
    return Solver(label, name, parameters, rate, batch)


def _default(name: str, key: str) -> Any:
    method: Any = make_method(name)
    return getattr(method.rule if isinstance(method, FirstOrder) else method, key)


def _has(known: list[str], key: str) -> str:
    return nearest_name(key, known) if known else "it has none"


def _scipys(given: str, parameters: dict[str, Any]) -> Solver:
    names = list(dict.fromkeys([*reference.solver_names(), *reference.bounded_solver_names()]))
    name = next((known for known in names if known.lower() == given.lower()), None)
    if name is None:
        raise ValueError(f"unknown solver {given!r}; {nearest_name(given, names)}")
    short = name.removeprefix("scipy:")
    needs = (reference.SOLVERS | reference.BOUNDED_SOLVERS)[short]
    try:
        with warnings.catch_warnings():
            # scipy warns about an unknown option and ignores it
            warnings.simplefilter("error", OptimizeWarning)
            scipy_minimize(
                lambda x: x @ x,
                [1.0],
                method=short,
                jac=lambda x: 2 * x,
                hess=(lambda x: [[2.0]]) if "hess" in needs else None,
                hessp=(lambda x, p: 2 * p) if "hessp" in needs else None,
                options=parameters,
            )
    except (OptimizeWarning, TypeError, ValueError) as error:
        raise ValueError(f"{name} does not take the parameters {parameters}: {error}") from error
    return Solver(joined_name(name, parameters), name, parameters)


def _by_instance(given: Any) -> Solver:
    """The same solver by name, if name and parameters define it."""
    target: Any = given.rule if isinstance(given, FirstOrder) else given
    name = getattr(target, "name", type(target).__name__)
    changed = {}
    if METHODS.get(name) is type(target):
        plain = type(target)()
        changed = {
            entry.name: getattr(target, entry.name)
            for entry in dataclasses.fields(type(target))  # type: ignore[arg-type]  # each of METHODS is one
            if getattr(target, entry.name) != getattr(plain, entry.name)
        }
        if isinstance(target, FirstOrderRule):
            changed["rate"] = target.rate  # the rate of an instance is not tuned
        if all(isinstance(value, _SIMPLE) for value in changed.values()):
            return _by_name(joined_name(name, changed))
    return Solver(joined_name(name, changed), name, changed, target=make_method(given))


def accepted(solver: Callable[..., Any]) -> tuple[str, ...]:
    """The arguments among `reference.OFFERED` that a callable has; all if it has ``**keywords``."""
    offered = reference.OFFERED
    parameters = inspect.signature(solver).parameters
    if any(entry.kind is inspect.Parameter.VAR_KEYWORD for entry in parameters.values()):
        return offered
    return tuple(name for name in offered if name in parameters)
