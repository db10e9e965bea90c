"""Points have the structure of x0: numbers stay numbers, named tuples named tuples; a gradient may be a column."""

from collections import namedtuple

import autograd.numpy as np
import numpy as onp
import pytest

import newtonkit
from newtonkit.derivatives.pytree import flatten, structure

Line = namedtuple("Line", "slope offset")


def test_a_number_in_a_structure_stays_a_number():
    seen = []

    def fun(p):
        seen.append(np.shape(p["a"]))
        return (p["a"] - 1.0) ** 2 + np.sum((p["b"] + 2.0) ** 2)

    result = newtonkit.minimize(fun, {"a": 3.0, "b": onp.zeros(2)})
    assert result.success
    assert set(seen) == {()}
    assert onp.shape(result.x["a"]) == ()
    assert onp.shape(result.jac["a"]) == ()
    assert result.x["a"] == pytest.approx(1.0)
    onp.testing.assert_allclose(result.x["b"], -2.0)


def test_named_tuples_keep_their_names():
    def fun(p):
        return (p.slope - 1.0) ** 2 + np.sum((p.offset + 2.0) ** 2)

    for start in (Line(3.0, onp.zeros(2)), Line(3.0, 4.0)):
        result = newtonkit.minimize(fun, start)
        assert isinstance(result.x, Line)
        assert result.x.slope == pytest.approx(1.0)
        assert isinstance(newtonkit.grad(fun)(start), Line)


def test_structures_that_differ_are_distinguished():
    assert structure({"a": 1.0}) != structure({"a": [1.0]})
    assert structure(Line(1.0, 2.0)) != structure((onp.array(1.0), onp.array(2.0)))
    assert structure(Line(1.0, 2.0)) == structure(Line(3.0, 4.0))


def test_a_number_alone_is_a_vector_of_length_one():
    vector, unflatten = flatten(3.0)
    assert vector.shape == unflatten(vector).shape == (1,)


@pytest.mark.parametrize("shape", [(2,), (2, 1), (1, 2)])
@pytest.mark.parametrize("method", ["bfgs", "newton", "newton-cg"])
def test_a_gradient_may_be_a_row_or_a_column(shape, method):
    result = newtonkit.minimize(
        lambda x: np.sum((x - 1.0) ** 2) + np.sum(x**4),
        [3.0, 2.0],
        method=method,
        jac=lambda x: (2.0 * (x - 1.0) + 4.0 * x**3).reshape(shape),
    )
    assert result.success
    assert result.jac.shape == (2,)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_value_of_size_one_is_accepted(shape):
    result = newtonkit.minimize(lambda x: np.reshape(np.sum((x - 1.0) ** 2), shape), [3.0, 2.0])
    assert result.success
