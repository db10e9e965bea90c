"""Why autograd cannot differentiate a function, and what to write instead, by the exception and its traceback."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from importlib import import_module

import numpy as np

_GENERAL = (
    "Write it with `import autograd.numpy as np` in place of numpy, without float(), math.* or assignment into arrays"
)
_OTHERWISE = 'pass its gradient as jac=; or use derivatives="differences"'
_NUMPY = "use `import autograd.numpy as np` in place of numpy"
_ASSIGNMENT = f"{_NUMPY}, and build arrays with np.array, np.concatenate or np.where, without assignment into arrays"
_JAX = (
    'it uses JAX: write derivatives="jax", and jax.config.update("jax_enable_x64", True) before any JAX array is made'
)
# packages that a traceback may pass through, and what to write instead of them
_PACKAGES = {
    "pandas": "convert pandas objects to arrays before they meet x: df['a'].to_numpy()",
    "jax": _JAX,
    "jaxlib": _JAX,
    "torch": 'it uses PyTorch: write derivatives="torch"; for a torch.nn.Module use newtonkit.from_module',
    "sparse": "only products S @ x of a sparse matrix with x are differentiable",
}
# imported only to explain an error: autograd.scipy imports scipy.stats, which takes longer than all of newtonkit
_ELSEWHERE = ("autograd.numpy", "autograd.scipy.special", "autograd.scipy.linalg", "autograd.scipy.stats")


def explanation(error: Exception) -> str:
    """A sentence on what to change in a function that autograd could not differentiate."""
    return f"{_hint(error) or _GENERAL}; {_OTHERWISE}"


def explain_foreign_tensors(error: Exception) -> None:
    """Add a note to the user's own exception if the function expects tensors of PyTorch or JAX in place of arrays."""
    text = str(error)
    for package, sign in (
        ("torch", "must be Tensor"),
        ("torch", "Tensor'"),
        ("jax", "valid JAX type"),
        ("jax", "no attribute 'at'"),
    ):
        if sign in text:
            error.add_note(f"The function cannot be called with a numpy array: {_PACKAGES[package]}.")
            return


# what exceptions say of a vector that is too short or too long
_OF_LENGTHS = ("out of bounds", "shape", "aligned", "broadcast", "unpack", "mismatch", "dimension")


def explain_length(error: BaseException, n: int) -> None:
    """Add a note on the length of x to the user's own exception if it may be due to that."""
    if isinstance(error, IndexError | ValueError) and any(sign in str(error) for sign in _OF_LENGTHS):
        error.add_note(f"fun was called with a vector of {n}: does it expect another length?")


def _hint(error: Exception) -> str:
    text = str(error)
    undefined = re.match(r"VJP of (\w+) wrt argnums \((\d+),?\) not defined", text)
    if undefined:
        return f"autograd has no derivative of {undefined[1]}"
    if "must be real number, not ArrayBox" in text:
        return "math takes plain numbers only: write it without float(), math.*, with the functions of autograd.numpy"
    if re.match(r"(float|int|complex)\(\) argument", text):
        return "float() and int() take plain numbers only: write it without float(), math.* and int()"
    if "valid JAX type" in text:  # JAX leaves its own frames out of the traceback
        return _JAX
    if "does not support item assignment" in text:
        return _ASSIGNMENT
    for name in _scipy_functions(error):
        for module in _ELSEWHERE:
            if hasattr(import_module(module), name):
                return f"use {module}.{name} in place of scipy's {name}"
        return f"autograd has no derivative of scipy's {name}"
    packages = list(_packages(error))
    for package, hint in _PACKAGES.items():
        if package in packages:
            return hint
    if "setting an array element with a sequence" in text:
        return _ASSIGNMENT
    return ""


def _scipy_functions(error: Exception) -> Iterator[str]:
    """The names of scipy's functions that received a box, outermost first."""
    for frame in traceback.extract_tb(error.__traceback__):
        path = frame.filename.replace("\\", "/")
        own = re.search(r"/scipy/(special|linalg)/", path) and "autograd" not in path
        if own and not frame.name.startswith("_") and frame.name not in ("wrapper", "inner", "decorator"):
            yield frame.name
    ufunc = re.search(r"<ufunc '(\w+)'>", str(error))
    if ufunc and not hasattr(np, ufunc[1]):
        yield ufunc[1]


def _packages(error: Exception) -> Iterator[str]:
    """The packages whose frames the traceback passes through; "sparse" for scipy.sparse."""
    for frame in traceback.extract_tb(error.__traceback__):
        path = frame.filename.replace("\\", "/")
        _, found, rest = path.rpartition("site-packages/")
        if found:
            package, _, inner = rest.partition("/")
            yield "sparse" if package == "scipy" and inner.startswith("sparse/") else package
