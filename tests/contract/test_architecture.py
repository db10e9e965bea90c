"""The architecture: imports run in one direction, between packages, folders and files; lazy imports included."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import newtonkit

TOP = Path(newtonkit.__file__).parent.parent
PACKAGES = ["newtonkit", "problems", "comparisons"]

# a folder imports only from folders above it in its list; a file at the top of a package is a folder of its own
ORDER = {
    "newtonkit": [
        *["linalg", "core", "plots", "derivatives", "objectives", "evaluation", "convex", "classification"],
        *["enumeration", "driver", "linesearch", "trustregion", "methods", "fitting", "training", "landscape"],
        *["automatic", "solve", "__init__"],
    ],
    "comparisons": [
        *["core", "running", "scores", "plots", "report", "studies", "api", "cli", "__init__", "__main__"],
    ],
}
LONGEST = 350  # lines in a file


def module_of(path):
    return ".".join(path.relative_to(TOP).with_suffix("").parts)


@cache
def modules():
    return {module_of(path): path for package in PACKAGES for path in sorted((TOP / package).rglob("*.py"))}


@cache
def imports(module):
    """The modules of the project that a module imports anywhere in its code, with the line; TYPE_CHECKING excepted."""
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.unparse(branch.test)
        for statement in branch.body
        for node in ast.walk(statement)
    }
    found = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = whole in modules() or f"{whole}.__init__" in modules()
                found.append((whole if is_module else node.module, node.lineno))
    resolved = [(f"{name}.__init__" if f"{name}.__init__" in modules() else name, line) for name, line in found]
    return [(name, line) for name, line in resolved if name in modules()]


def folder_of(module):
    parts = module.split(".")
    return parts[1]


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_those_before_them(package):
    allowed = PACKAGES[: PACKAGES.index(package) + 1]
    for module in modules():
        if module.split(".")[0] == package:
            wrong = [(name, line) for name, line in imports(module) if name.split(".")[0] not in allowed]
            assert not wrong, module


@pytest.mark.parametrize("package", sorted(ORDER))
def test_folders_import_only_from_folders_above_them(package):
    order = ORDER[package]
    wrong = []
    for module in modules():
        if module.split(".")[0] != package:
            continue
        for name, line in imports(module):
            same = name.split(".")[0] == package
            if same and order.index(folder_of(name)) > order.index(folder_of(module)):
                wrong.append(f"{module}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_no_cycle_between_files():
    done, path = set(), []

    def visit(module):
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module in done:
            return
        path.append(module)
        for name, _ in imports(module):
            visit(name)
        path.pop()
        done.add(module)

    for module in modules():
        visit(module)


def test_nobody_imports_from_the_init_of_a_folder():
    """A folder's `__init__` holds a docstring; only the three packages themselves have public names there."""
    tops = {f"{package}.__init__" for package in PACKAGES}
    wrong = [
        f"{module}:{line} imports {name}"
        for module in modules()
        for name, line in imports(module)
        if name.endswith("__init__") and (name not in tops or module.split(".")[0] == name.split(".")[0])
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_has_the_name_of_a_public_function():
    public = {name for name in newtonkit.__all__ if callable(getattr(newtonkit, name))}
    named = {module for module in modules() if module.startswith("newtonkit.") and module.split(".")[-1] in public}
    assert not named


def test_no_file_is_too_long():
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in modules().items()}
    assert {module: length for module, length in lengths.items() if length > LONGEST} == {}


def test_autograd_is_imported_in_derivatives_only():
    for module, path in modules().items():
        if module.startswith("newtonkit.") and folder_of(module) != "derivatives":
            code = ast.parse(path.read_text(encoding="utf-8"))
            names = [node.module for node in ast.walk(code) if isinstance(node, ast.ImportFrom)]
            names += [alias.name for node in ast.walk(code) if isinstance(node, ast.Import) for alias in node.names]
            assert not [name for name in names if name and name.split(".")[0] == "autograd"], module


def test_importing_newtonkit_loads_numpy_scipy_and_autograd_only():
    code = (
        "import sys, newtonkit, numpy, scipy, autograd; "
        "heavy = {'matplotlib', 'click', 'rich', 'jinja2', 'PIL', 'sklearn', 'pandas', 'jax', 'torch', 'dask'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=TOP)


def test_importing_newtonkit_does_not_load_what_minimize_does_not_need():
    """autograd.scipy imports scipy.stats, which takes longer than the rest of the import."""
    code = (
        "import sys, newtonkit; newtonkit.minimize(lambda x: (x**2).sum(), [1.0]); "
        "heavy = {'autograd.scipy', 'scipy.stats', 'scipy.integrate', 'multiprocessing', 'newtonkit.fitting', "
        "'newtonkit.enumeration', 'newtonkit.landscape', 'newtonkit.training'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules); "
        "assert all(getattr(newtonkit, name) is not None for name in newtonkit.__all__)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=TOP)


def test_the_functions_below_the_primitives_of_autograd_scipy_are_those_of_scipy():
    import autograd.scipy.special

    from newtonkit.derivatives.autograd.primitives import GAMMALN, LOGSUMEXP, raw_function

    assert raw_function(autograd.scipy.special.logsumexp) is LOGSUMEXP
    assert raw_function(autograd.scipy.special.gammaln) is GAMMALN


def test_dir_of_newtonkit_lists_the_public_names_only():
    assert set(dir(newtonkit)) == {*newtonkit.__all__, "__version__"}
