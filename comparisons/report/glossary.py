"""The terms that a comparison uses, explained for readers who are new to optimization."""

from __future__ import annotations

from comparisons.report.document import Table

_TERMS = {
    "Gradient, g": "The vector of first derivatives of f. It points in the direction of steepest ascent and is zero at "
    "every minimum, maximum and saddle point. ‖g‖∞ is its largest entry in absolute value.",
    "Hessian, H": "The matrix of second derivatives: how the gradient changes. Hv is its product with one vector, "
    "which costs much less than H itself.",
    "λ_min": "The lowest eigenvalue of the Hessian where the run ended: negative at a saddle, positive at a "
    "nondegenerate minimum, zero where second derivatives do not decide.",
    "Critical point": "A point where the gradient is zero: a minimum, a maximum or a saddle point.",
    "Saddle point": "A critical point from which f increases in some directions and decreases in others. A method that "
    "uses only the gradient may mistake it for a minimum.",
    "Index": "The number of negative eigenvalues of the Hessian at a critical point. A minimum has index 0.",
    "Degenerate": "A critical point whose Hessian has an eigenvalue of zero: second derivatives do not decide its "
    "kind, and most methods converge slowly there.",
    "f* and f − f*": "f* is the value of the lowest known minimum of the problem, verified beforehand and never taken "
    "from a run. f − f* is the distance of a run from it.",
    "Cost": "All evaluations of a run in units of one evaluation of f: 1 for f, 2 for a gradient, 4 for a product Hv, "
    "4k for a Hessian, where k products recover it: k = n if it is dense. If it is sparse, columns without a common "
    "non-zero row share a product, and k may be 2 with 100 000 variables. Cost does not depend on the machine.",
    "Cost to accuracy": "The cost when f − f* first fell to 1e-8 of its initial value. If the run has a gradient "
    "tolerance, its total cost if the tolerance was met.",
    "Relative cost": "The cost of a run divided by that of the cheapest run that solved the same problem from the same "
    "start. A table shows the median over the runs that solved.",
    "Solved": "The run ended at the lowest known minimum, within the required accuracy.",
    "False success": "The solver reported success at a point that is not a minimum.",
    "Second-order method": "Uses the Hessian to step to the minimum of a quadratic model of f. It needs few "
    "iterations, which are expensive if n is large.",
    "Quasi-Newton method": "BFGS and L-BFGS build an approximation of the Hessian from gradients. L-BFGS keeps only "
    "the most recent ones.",
    "Trust region": "A ball in which the quadratic model of f is trusted. It grows if the model predicts f well and "
    "shrinks if it does not.",
    "Line search": "Chooses a direction first, then a step length along it.",
    "First-order method": "Steps along the gradient, or an average of past gradients, times a learning rate. If the "
    "rate is too large the method diverges; if it is too small the method is slow.",
    "Stopped by": "The method's own reason: GRADIENT, the gradient is small enough; PRECISION, rounding allows no "
    "further progress; EVALUATIONS, the budget is spent. The pointer on an entry shows the full message.",
}


def glossary() -> Table:
    """One row for each term."""
    return Table("", ("term", "meaning"), list(_TERMS.items()), text=(0, 1))
