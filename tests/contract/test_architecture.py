"""The house: every file imports from floors below its own only."""

import ast
from pathlib import Path

import pytest

import newtonkit

ROOT = Path(newtonkit.__file__).parent

FLOORS = [
    {"linalg", "factorization", "state", "validation"},
    {"derivatives"},
    {"objective", "oracle"},
    {"critical"},
    {"stopping", "result", "second_look", "judge"},
    {"loop", "linesearch", "trustregion", "gradient_flow"},
    {"methods"},
    {"solve", "automatic", "training", "plots", "landscape", "morse_graph"},
    {"__init__"},
]
# a .plot() method, and the call from scipy, reach up when they are called
EXCEPTIONS = {
    ("result", "plots"),
    ("methods/schedules", "plots"),
    ("methods/base", "solve"),
    ("critical/points", "plots"),
}
# rooms on one floor with a door between them
NEIGHBOURS = {
    ("state", "linalg"),
    ("factorization", "linalg"),
    ("oracle", "objective"),
    ("judge", "second_look"),
    ("judge", "stopping"),
    ("solve", "automatic"),
    ("morse_graph", "plots"),
    ("training", "plots"),
}


def floor_of(room):
    return next(i for i, floor in enumerate(FLOORS) if room in floor)


def imports(path):
    """The newtonkit modules a file imports, with whether for types only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.unparse(branch.test)
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "newtonkit":
            yield node.module.removeprefix("newtonkit").lstrip(".") or "__init__", id(node) in typing_only
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_downwards(path):
    name = str(path.relative_to(ROOT).with_suffix("")).replace("\\", "/")
    room = name.split("/")[0]
    for target, typing_only in imports(path):
        other = target.split(".")[0]
        if typing_only or other == room or (name, other) in EXCEPTIONS or (room, other) in NEIGHBOURS:
            continue
        assert floor_of(other) < floor_of(room), f"{name} imports {target}"


def test_every_exception_is_still_needed():
    used = {
        (str(path.relative_to(ROOT).with_suffix("")), target.split(".")[0])
        for path in FILES
        for target, typing_only in imports(path)
        if not typing_only
    }
    assert used >= EXCEPTIONS


@pytest.mark.parametrize("package", ["newtonkit", "problems"])
def test_packages_import_only_those_before_them(package):
    allowed = {"newtonkit": {"newtonkit"}, "problems": {"newtonkit", "problems"}}[package]
    for path in (ROOT.parent / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module]
            else:
                continue
            tops = {module.split(".")[0] for module in modules} & {"newtonkit", "problems", "comparisons"}
            assert tops <= allowed, path


def test_autograd_is_imported_in_derivatives_only():
    for path in ROOT.rglob("*.py"):
        if path.parent.name != "derivatives":
            code = ast.parse(path.read_text(encoding="utf-8"))
            names = {node.module for node in ast.walk(code) if isinstance(node, ast.ImportFrom)}
            assert not any(name and name.startswith("autograd") for name in names), path


def test_importing_newtonkit_does_not_import_matplotlib():
    import subprocess
    import sys

    code = "import newtonkit, sys; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT.parent)
