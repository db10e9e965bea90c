"""The physics-informed network: derivatives through the layers, the exact solution, and the experiment's tables."""

import numpy as np
import pytest

from comparisons.report.document import Table
from comparisons.studies.learning.pinn import CURVED, Equation, run


def test_the_second_derivative_of_the_network_is_that_of_differences():
    equation = Equation(points=401)
    u, second = equation.solution(equation.start(0))
    h = equation.t[1, 0] - equation.t[0, 0]
    differences = (u[2:] - 2 * u[1:-1] + u[:-2]) / h**2
    assert second[1:-1] == pytest.approx(differences, abs=1e-3 * np.abs(second).max())
    assert u[0] == u[-1] == 0.0


def test_the_source_is_that_of_the_exact_solution():
    equation = Equation(points=2001)
    u, h = equation.exact, 1.0 / 2000
    second = (u[2:] - 2 * u[1:-1] + u[:-2]) / h**2
    assert -second + u[1:-1] ** 3 == pytest.approx(equation.source[1:-1], abs=1e-3)


@pytest.mark.slow
def test_the_table_has_a_row_for_each_method(tmp_path):
    document = run(tmp_path, quick=True, starts=1, iterations=20)
    (table,) = document.parts(Table)
    assert [row[0] for row in table.rows] == ["Adam", *CURVED, "Levenberg–Marquardt"]
