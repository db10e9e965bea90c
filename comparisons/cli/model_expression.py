"""A model that the user writes as a formula, parsed with `ast`: nothing of the text is ever executed as Python."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import autograd.numpy as np
import autograd.scipy.special as special

_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_SIGNS: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ("exp", "log", "log2", "log10", "log1p", "expm1", "sqrt", "abs")},
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2")},
    **{name: getattr(np, name) for name in ("sinh", "cosh", "tanh", "maximum", "minimum", "where")},
    "erf": special.erf,
}
CONSTANTS = {"pi": np.pi, "e": np.e}
_LONGEST = 2000  # characters
_LARGEST_POWER = 1e4  # a constant exponent beyond it is a mistake


class ModelExpression:
    """A formula as a function f(x, \\*parameters).

    Parameters
    ----------
    text : str
        Numbers, the names of variables and parameters, + - * / ** ^ and the functions in `FUNCTIONS`.
    variables : sequence of str
        Names of the predictors. Every other name is a parameter, unless it is a function; ``pi`` and ``e`` are numbers.

    Attributes
    ----------
    parameters : list of str
        In the order in which they appear.
    used : list of str
        The predictors that appear.

    Raises
    ------
    ValueError
        For anything else than a formula, with the part that is not understood.

    Examples
    --------
    >>> model = ModelExpression("a * exp(-b * x) + c", ["x"])
    >>> model.parameters, float(model(0.0, 2.0, 1.0, 0.5))
    (['a', 'b', 'c'], 2.5)
    """

    def __init__(self, text: str, variables: Sequence[str]) -> None:
        if len(text) > _LONGEST:
            raise ValueError(f"the model has more than {_LONGEST} characters")
        try:
            tree = ast.parse(text.replace("^", "**").strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ValueError(f"the model {text!r} is not a formula: {error}") from error
        self.text, self.variables = text, list(variables)
        self.parameters: list[str] = []
        self.used: list[str] = []
        self._root = self._build(tree.body)
        if not self.parameters:
            raise ValueError(f"the model {text!r} has no parameter; the predictors are {', '.join(self.variables)}")

    def __call__(self, x: Any, *parameters: Any) -> Any:
        """The value; x is an array for one predictor, and has a row for each where there are several."""
        rows = [x] if len(self.variables) == 1 else list(x)
        known = dict(zip(self.variables, rows, strict=True)) | dict(zip(self.parameters, parameters, strict=True))
        return self._root(known)

    def _build(self, node: ast.expr) -> Callable[[dict[str, Any]], Any]:
        match node:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float() as number):
                value = np.float64(number)  # overflows to infinity, without an exception
                return lambda known: value
            case ast.Name(id=name):
                return self._name(name)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _SIGNS:
                sign, inner = _SIGNS[type(op)], self._build(operand)
                return lambda known: sign(inner(known))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                self._check_power(op, right)
                apply, first, second = _OPERATORS[type(op)], self._build(left), self._build(right)
                return lambda known: apply(first(known), second(known))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                function, parts = FUNCTIONS[name], [self._build(arg) for arg in args]
                return lambda known: function(*[part(known) for part in parts])
        raise ValueError(
            f"the model may hold numbers, names, + - * / ^ and {', '.join(FUNCTIONS)}; "
            f"{ast.unparse(node)!r} is not one of these"
        )

    def _name(self, name: str) -> Callable[[dict[str, Any]], Any]:
        if name in FUNCTIONS:
            raise ValueError(f"{name} is a function: write {name}(…)")
        if name in CONSTANTS and name not in self.variables:
            value = CONSTANTS[name]
            return lambda known: value
        seen = self.used if name in self.variables else self.parameters
        if name not in seen:
            seen.append(name)
        return lambda known: known[name]

    def _check_power(self, op: ast.operator, right: ast.expr) -> None:
        value = right.value if isinstance(op, ast.Pow) and isinstance(right, ast.Constant) else 0
        if isinstance(value, int | float) and abs(value) > _LARGEST_POWER:
            raise ValueError(f"the exponent {value} is too large")
