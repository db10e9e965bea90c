"""The registry: problems by name, with their tags. A problem is built only when `get` is called.

A family file registers a factory function with the decorator `register`; `get` calls it.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import numpy as np

from problems.base import Problem

Factory = Callable[..., Problem]


@dataclass(frozen=True)
class _Entry:
    factory: Factory
    tags: frozenset[str]
    summary: str


_entries: dict[str, _Entry] = {}


def register(name: str, *, tags: Iterable[str], summary: str) -> Callable[[Factory], Factory]:
    """Register a factory of problems.

    The keyword parameters of the factory, all with defaults, are the parameters of the problem. The factory returns a
    `Problem` without name, parameters and tags; the registry sets these. A tag that holds for some parameters only is
    set by the factory in ``Problem.tags``. The tag "2d" is set if and only if n = 2.

    Parameters
    ----------
    name : str
        Lower case, words joined by hyphens.
    tags : iterable of str
        Properties that hold at the default parameters.
    summary : str
        One line for listings.
    """

    def enter(factory: Factory) -> Factory:
        if name in _entries:
            raise ValueError(f"a problem named {name!r} is registered already")
        signature = inspect.signature(factory)
        own_tags = frozenset(tags)

        @wraps(factory)
        def build(**parameters: Any) -> Problem:
            unknown = [key for key in parameters if key not in signature.parameters]
            if unknown:
                valid = ", ".join(signature.parameters) or "none"
                raise ValueError(f"{name} has no parameter {unknown[0]!r}; its parameters are: {valid}")
            bound = signature.bind(**parameters)
            bound.apply_defaults()
            problem = factory(**parameters)
            plane = {"2d"} if problem.n == 2 else set()
            stamped = (own_tags - {"2d"}) | problem.tags | plane
            plain = {key: v.item() if isinstance(v, np.generic) else v for key, v in bound.arguments.items()}
            return replace(problem, name=name, tags=stamped, parameters=plain)

        _entries[name] = _Entry(build, own_tags, summary)
        return build

    return enter


def _find(name: str) -> str:
    """The registered name that matches `name`; case, spaces, hyphens and underscores are ignored."""
    wanted = "-".join(str(name).lower().replace("_", " ").replace("-", " ").split())
    if wanted in _entries:
        return wanted
    close = difflib.get_close_matches(wanted, _entries, n=1, cutoff=0.0)
    raise ValueError(f"unknown problem {name!r}; did you mean {close[0]!r}? problems.names() lists all")


def get(name: str, **parameters: Any) -> Problem:
    """The problem of that name.

    Parameters
    ----------
    name : str
        A name from `names`; case, spaces and underscores do not matter.
    **parameters
        The family's parameters, such as ``n=10``; see the factory's docstring for ranges and defaults.

    Raises
    ------
    ValueError
        If the name is unknown (the message gives the nearest valid one), a parameter is unknown, or a value is out of
        range.
    ImportError
        If the problem requires data from scikit-learn, which is not installed.

    Examples
    --------
    >>> import problems
    >>> problems.get("rosenbrock", n=10).label
    'rosenbrock(n=10)'
    """
    return _entries[_find(name)].factory(**parameters)


def names(tag: str | Iterable[str] | None = None) -> tuple[str, ...]:
    """The registered names, sorted; with tags, only those that have all of them at the default parameters.

    Problems with bounds are listed only if the tag "bounded" is requested, since a solver must be given the bounds.
    Nothing is built or imported.

    Examples
    --------
    >>> import problems
    >>> problems.names(["saddle", "unbounded"])
    ('monkey-saddle',)
    """
    wanted = frozenset([tag] if isinstance(tag, str) else tag or ())
    unknown = sorted(wanted - set(tags()))
    if unknown:
        raise ValueError(f"unknown tag {unknown[0]!r}; the tags are: {', '.join(tags())}")
    return tuple(
        sorted(
            name
            for name, entry in _entries.items()
            if wanted <= entry.tags and ("bounded" not in entry.tags or "bounded" in wanted)
        )
    )


def tags() -> tuple[str, ...]:
    """All tags in use, sorted."""
    return tuple(sorted(frozenset().union(*(entry.tags for entry in _entries.values()))))


def summary(name: str) -> str:
    """One line about the problem of that name; builds nothing."""
    return _entries[_find(name)].summary
