"""The base of our methods: a frozen dataclass whose fields are its options, and a callable that scipy accepts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

from newtonkit.core.state import FIRST, State
from newtonkit.driver.result import Result
from newtonkit.driver.scipy_call import call_from_scipy
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linalg.factorization import DenseSymmetric, Symmetric
from newtonkit.linalg.kernels import Vector

_FACTORIZABLE = 5000  # up to this n a full Hessian is factored: 4e10 operations and 200 MB


class MethodBase:
    """Defaults of the Method protocol (`newtonkit.driver.method.Method`); subclasses add ``step``."""

    name: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset({"grad"})
    accepts_bounds: ClassVar[bool] = False
    """Whether it keeps to a bounded domain."""
    escapes: ClassVar[bool] = True
    learns_curvature: ClassVar[bool] = False
    """Whether it builds curvature from differences of gradients, as quasi-Newton methods do."""
    matrices: ClassVar[int] = 0
    """How many n×n matrices it stores, for the memory it is predicted to need."""

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Make an instance; refuse the call that scipy makes if it is given the class."""
        if args and callable(args[0]) and "callback" in options:
            raise TypeError(f"method must be an instance, got the class {cls.__name__}; write {cls.__name__}()")
        return super().__new__(cls)

    def step(self, evaluator: Evaluator, state: Any) -> Any:
        """The next state, or StepFailure."""
        raise NotImplementedError

    def init(self, evaluator: Evaluator, x0: Vector) -> State:
        """The state at x0; overridden by methods whose states hold more."""
        return State(x0, *evaluator.value_and_grad(x0), FIRST)

    def factorizable_hessian(self, evaluator: Evaluator, state: State) -> Symmetric | None:
        """Return ∇²f(state.x) in the form that the method factors, for the verdict; None if it uses no Hessians.

        ``state`` may be a plain `State`: the best point of the run need not be one of the method's states.
        """
        if "hess" in self.needs and state.x.size <= _FACTORIZABLE:
            return DenseSymmetric(evaluator.hessian(state.x))
        return None

    def inverse_hessian(self, state: Any) -> Any:
        """Return the approximation of (∇²f)⁻¹ at this state for ``result.hess_inv``; None if the method has none."""
        return None

    def __call__(
        self,
        fun: Callable[..., Any],
        x0: Any,
        args: tuple[Any, ...] = (),
        *,
        jac: Any = None,
        hess: Any = None,
        hessp: Any = None,
        bounds: Any = None,
        constraints: Any = (),
        callback: Callable[..., Any] | None = None,
        **options: Any,
    ) -> Result:
        """Run this method under ``scipy.optimize.minimize(..., method=self)``."""
        return call_from_scipy(
            self,
            fun,
            x0,
            args,
            jac=jac,
            hess=hess,
            hessp=hessp,
            bounds=bounds,
            constraints=constraints,
            callback=callback,
            options=options,
        )
