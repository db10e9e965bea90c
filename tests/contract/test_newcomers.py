"""What a user of scipy or numpy tries first: results in place of points, numbers, classes, np.pad, packages."""

import autograd.numpy as np
import numpy as onp
import pytest
import scipy.optimize

import newtonkit as nk


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


@pytest.mark.parametrize("solve", [scipy.optimize.minimize, nk.minimize])
def test_a_result_stands_for_its_point(solve):
    result = solve(rosenbrock, [-1.2, 1.0])
    assert nk.classify(rosenbrock, result).kind == "minimum"
    assert onp.array_equal(nk.grad(rosenbrock)(result), nk.grad(rosenbrock)(result.x))


def test_the_gradient_of_a_function_of_a_number_is_a_number():
    g = nk.grad(lambda x: x**2)(3.0)
    assert onp.ndim(g) == 0
    assert g == 6.0
    assert nk.hessian(lambda x: x**3)(2.0) == pytest.approx(12.0)


def test_counts_unpack_in_the_order_of_their_fields():
    assert tuple(nk.Counts(f=1, g=2, H=3, Hv=4)) == (1, 2, 3, 4)


@pytest.mark.parametrize("solve", [nk.minimize, nk.classify])
@pytest.mark.parametrize("x", [[1.0], [1.0, 2.0, 3.0]])
def test_a_wrong_length_of_x_is_suspected_where_it_may_be_the_cause(solve, x):
    def fun(x):
        return np.sum(np.dot(onp.ones((2, 2)), x) ** 2)

    with pytest.raises(ValueError, match="shapes") as caught:
        solve(fun, x)
    assert f"a vector of {len(x)}: does it expect another length?" in caught.value.__notes__[0]


def test_a_wrong_length_of_x_is_not_suspected_where_the_cause_is_another():
    def fun(x):
        raise ValueError("no data were loaded")

    with pytest.raises(ValueError, match="no data") as caught:
        nk.minimize(fun, [1.0])
    assert not getattr(caught.value, "__notes__", [])


def test_scipy_is_given_an_instance_not_the_class():
    with pytest.raises(TypeError, match=r"write TrustRegionNewton\(\)"):
        scipy.optimize.minimize(rosenbrock, [-1.2, 1.0], method=nk.TrustRegionNewton)


def test_differences_can_be_requested_through_scipy():
    def plain(x):
        return float(rosenbrock(onp.asarray(x, dtype=float)))

    result = scipy.optimize.minimize(plain, [-1.2, 1.0], method=nk.BFGS(), options={"derivatives": "differences"})
    assert result.success
    assert result.x == pytest.approx([1.0, 1.0], abs=1e-4)


def test_a_list_of_one_number_is_named():
    with pytest.raises(TypeError, match="a list of one entry; return the entry"):
        nk.minimize(lambda x: [rosenbrock(x)], [-1.2, 1.0])


@pytest.mark.parametrize("shape", [(6,), (6, 1), (1, 6), (2, 3)])
@pytest.mark.parametrize("method", ["newton", "bfgs"])
def test_a_gradient_is_a_vector_a_row_a_column_or_has_the_shape_of_x(shape, method):
    target = onp.arange(6.0).reshape(2, 3)

    def jac(x):
        return (2 * (x - target)).reshape(shape)

    result = nk.minimize(lambda x: float(onp.sum((x - target) ** 2)), onp.zeros((2, 3)), jac=jac, method=method)
    assert result.success
    assert result.x == pytest.approx(target)


def test_a_gradient_of_another_shape_than_x_is_refused():
    with pytest.raises(ValueError, match=r"jac must have shape \(2, 3\), as x0, got shape \(3, 2\)"):
        nk.minimize(lambda x: float(onp.sum(x**2)), onp.ones((2, 3)), jac=lambda x: 2 * x.T)


@pytest.mark.parametrize("mode", [None, "constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("width", [1, (1, 2), ((0, 1), (2, 1))])
def test_pad_has_first_and_second_derivatives(mode, width):
    rng = onp.random.default_rng(0)
    A = rng.normal(size=(3, 4))
    options = () if mode is None else (mode,)
    weights = rng.normal(size=onp.pad(A, width, *options).shape)
    check = nk.check_derivatives(lambda x: np.sum(weights * np.sin(np.pad(x, width, *options)) ** 2), A)
    assert check.ok, str(check)


def test_the_package_of_compare_is_named():
    with pytest.raises(AttributeError, match="from comparisons import compare"):
        nk.compare  # noqa: B018
