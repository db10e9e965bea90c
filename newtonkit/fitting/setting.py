"""What all runs of one call of `least_squares` share, and the choice between variable projection and the hybrid."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from newtonkit.core.domain import Domain
from newtonkit.core.state import BudgetSpent
from newtonkit.derivatives.autograd.tracing import DifferentiationError
from newtonkit.derivatives.losses import Loss
from newtonkit.derivatives.residuals import signature
from newtonkit.fitting.arguments import domain_of
from newtonkit.fitting.functions import FitFunctions
from newtonkit.fitting.iteration import Callback, Iteration
from newtonkit.fitting.outcome import Fitted, Model, Outcome, Tolerances
from newtonkit.fitting.problem import FitPoint, FitProblem
from newtonkit.fitting.step_model import Mask
from newtonkit.fitting.variable_projection import ProjectedProblem, linear_parameters
from newtonkit.linalg.kernels import Vector, all_finite

_MODELS = {"hybrid": Model.HYBRID, "levenberg-marquardt": Model.GAUSS_NEWTON, "newton": Model.NEWTON}
_AFFINE = 1e-8  # relative: residuals after elimination are those of fun up to rounding where they are affine
_MOST_SEARCHED = 50  # parameters up to which linear ones are looked for: two second derivatives and O(n³) comparisons


@dataclass
class Setting:
    """What all runs of one call share."""

    functions: FitFunctions
    loss: Loss
    domain: Domain
    tolerances: Tolerances
    sizes: Vector | None
    callback: Callback | None
    linear: Mask | None = None
    """Parameters that the user named as linear."""
    last: FitPoint | None = None

    first_cost: float = math.nan
    """The cost at the start."""
    start: Vector = field(default_factory=lambda: np.empty(0))

    def solve(self, name: str, x0: Vector) -> tuple[Fitted, FitProblem | ProjectedProblem, str]:
        """Run the method; for "auto", the hybrid where variable projection does not converge."""
        plain, self.start = FitProblem(self.functions, self.loss), x0
        start = plain.evaluate(x0)
        self.first_cost, self.last = start.cost, start
        if name not in ("auto", "variable-projection"):
            return self._run(plain, x0, _MODELS[name], self.domain, start), plain, ""
        linear = self._linear_parameters(name, x0)
        if linear is None or not linear.any():
            return self._run(plain, x0, Model.HYBRID, self.domain, start), plain, ""
        problem, fitted = self._project(x0, linear)
        if fitted is not None and (fitted.success or name == "variable-projection"):
            count = int(linear.sum())
            which = "1 linear parameter is" if count == 1 else f"{count} linear parameters are"
            choice = f"{which} eliminated by variable projection"
            return fitted, problem, choice
        choice = "variable projection did not converge: all parameters were fitted together"
        if fitted is not None and fitted.outcome is Outcome.EVALUATIONS:
            return fitted, problem, ""
        again = self._run(plain, x0, Model.HYBRID, self.domain, start)
        if fitted is None or again.success or not again.at.cost > fitted.at.cost:
            return again, plain, choice
        return fitted, problem, ""

    def _project(self, x0: Vector, linear: Mask) -> tuple[ProjectedProblem, Fitted | None]:
        """A fit by variable projection; None if the budget is spent, or the residuals are not affine after all."""
        problem = ProjectedProblem(self.functions, x0, linear)
        try:
            if self.linear is not None:
                first = problem.evaluate(x0[~linear])
                if math.isfinite(first.cost) and problem.linearize(first) and not self._is_affine(first):
                    raise ValueError("the residuals are not affine in the parameters that linear names")
            fitted = self._run(problem, x0[~linear], Model.HYBRID, self._part(~linear))
            # the mask may come from other data of the same shape
            if not fitted.success or self._is_affine(fitted.at):
                return problem, fitted
        except BudgetSpent:
            return problem, None
        self._forget_linear(x0)
        return problem, None

    def _is_affine(self, at: FitPoint) -> bool:
        """Whether residuals after elimination are those of the user's function, up to rounding."""
        r = self.functions.residuals(at.parameters)
        assert at.rounding is not None
        return bool(np.all(np.abs(r - at.residuals) <= _AFFINE * (np.abs(r) + at.rounding)))

    def _run(
        self,
        problem: FitProblem | ProjectedProblem,
        x0: Vector,
        model: Model,
        domain: Domain,
        start: FitPoint | None = None,
    ) -> Fitted:
        sizes = self.sizes if isinstance(problem, FitProblem) or self.sizes is None else self.sizes[problem.nonlinear]
        return Iteration(
            problem,
            x0,
            model,
            self.tolerances,
            domain=domain,
            sizes=sizes,
            callback=self._observed(self.callback),
            start=start,
        ).run()

    def _observed(self, callback: Callback | None) -> Callback:
        def call(at: FitPoint, nit: int) -> bool:
            self.last = at
            return callback is not None and callback(at, nit)

        return call

    def _linear_parameters(self, name: str, x0: Vector) -> Any:
        """Which parameters to eliminate; None where that cannot be done.

        Raises
        ------
        ValueError
            If variable projection was requested and cannot be done.
        """
        reason = ""
        if not self.loss.linear:
            reason = "the loss must be linear"
        elif self.linear is None and not self.functions.finds_linear:
            reason = "it finds linear parameters by exact second derivatives, which require a fun of autograd.numpy"
        elif self.linear is None and x0.size > _MOST_SEARCHED:
            reason = f"it looks for linear parameters among at most {_MOST_SEARCHED}"
        linear = None
        if not reason:
            linear = self._known_linear(x0) if self.linear is None else self.linear
            if linear is not None:
                free = np.broadcast_to(np.isinf(self.domain.lower) & np.isinf(self.domain.upper), linear.shape)
                if self.linear is not None and (linear & ~free).any():
                    raise ValueError("parameters that linear names cannot have bounds")
                linear = linear & free
                if linear.all():
                    linear = None  # a linear problem: one Gauss–Newton step solves it
        if name == "variable-projection" and (reason or linear is None or not linear.any()):
            reason = reason or "no parameter without bounds was found in which the residuals are affine"
            raise ValueError(
                f"method 'variable-projection' cannot be used: {reason}; use 'hybrid', or name linear ones"
            )
        return linear

    def _known_linear(self, x0: Vector) -> Mask | None:
        """The parameters in which the residuals are affine; looked for once for a function and shapes of its data."""
        functions, r = self.functions, self.functions.residuals(x0)
        if functions.automatic is None or not all_finite(r):
            return None
        known, key = functions.automatic.linear, _key(x0, functions.args)
        if key in known:
            return known[key].copy()
        try:
            linear = linear_parameters(functions, x0, r.size)
        except DifferentiationError:  # the first Jacobian will state why, and take differences
            return None
        if key is not None:
            known[key] = linear
        return linear.copy()

    def _forget_linear(self, x0: Vector) -> None:
        if self.functions.automatic is not None:
            self.functions.automatic.linear[_key(x0, self.functions.args)] = np.zeros(x0.size, dtype=bool)

    def _part(self, kept: Any) -> Domain:
        """The domain of some parameters."""
        if not self.domain.is_bounded:
            return self.domain
        return domain_of((np.asarray(self.domain.lower)[kept], np.asarray(self.domain.upper)[kept]), int(kept.sum()))


def _key(x0: Vector, args: tuple[Any, ...]) -> Any:
    try:
        return signature(x0, args)
    except TypeError:  # an argument that is not hashable
        return None
