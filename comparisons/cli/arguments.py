"""Parsing of problems, points and options, the console and the progress bar of the commands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import problems
from comparisons.cli.user_functions import is_user_function, own_problem
from comparisons.running.solvers import literal
from problems import Problem


def standard_output() -> Console:
    """Standard output; 140 columns wide if it is not a terminal."""
    return Console() if sys.stdout.isatty() else Console(width=140)


def problem_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The argument PROBLEM and the options for its parameters."""
    command = click.option("-n", "dimension", type=int, help="Number of variables, if the problem is scalable.")(
        command
    )
    command = click.option(
        "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter of the problem, e.g. condition=1e4."
    )(command)
    return click.argument("problem")(command)


def get_problem(name: str, dimension: int | None, params: Sequence[str], x0: str | None = None) -> Problem:
    """The problem with this name and these parameters, or of a function ``module:name`` with the start ``x0``."""
    if is_user_function(name):
        return own_problem(name, x0)
    if x0 is not None:
        raise ValueError(f"--x0 belongs to functions such as mymodule:f; {name} has starts with names")
    parameters: dict[str, Any] = {} if dimension is None else {"n": dimension}
    return problems.get(name, **parameters | named_values("--param", params))


def named_values(option: str, pairs: Sequence[str]) -> dict[str, Any]:
    """The values of a repeated option NAME=VALUE."""
    found = {}
    for pair in pairs:
        key, sign, text = pair.partition("=")
        if not sign:
            raise ValueError(f"{option} must be NAME=VALUE, got {pair!r}")
        found[key] = literal(text)
    return found


def point_of(text: str, n: int, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """n numbers separated by commas, the value of the option ``name``."""
    try:
        point = np.array([float(part) for part in text.replace(" ", ",").split(",") if part])
    except ValueError:
        raise ValueError(f"{name} must be {n} numbers separated by commas, got {text!r}") from None
    if point.size != n:
        raise ValueError(f"{name} must be {n} numbers separated by commas, got {point.size}: {text!r}")
    return point


def start_of(problem: Problem, text: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """One of the problem's starts by name, or numbers."""
    if text in problem.starts:
        return np.array(problem.starts[text])
    if any(character.isdigit() for character in text):
        return point_of(text, problem.n, "--start")
    raise ValueError(
        f"{problem.name} has no start {text!r}; it has {', '.join(problem.starts)}, or give {problem.n} numbers"
    )


@contextmanager
def progress(task: str, total: int | None = None) -> Iterator[tuple[Callable[[int], None], Callable[[str], None]]]:
    """A progress bar on standard error.

    Yields two functions: the first sets the number of steps, the second is called with the name of each finished step.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        number = bar.add_task(task, total=total)
        yield (
            lambda steps: bar.update(number, total=steps),
            lambda name: bar.update(number, advance=1, description=name),
        )
