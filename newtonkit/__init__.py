"""newtonkit: second-order and quasi-Newton optimization with exact derivatives."""

from newtonkit.critical import Verdict, classify
from newtonkit.derivatives import (
    DerivativeCheck,
    DifferentiationError,
    SparseHessian,
    check_derivatives,
    grad,
    hessian,
    hessian_pattern,
    hvp,
    sparse_hessian,
    value_and_grad,
)
from newtonkit.linesearch import Backtracking, HagerZhang
from newtonkit.loop import Method, iterate, run
from newtonkit.methods import (
    BFGS,
    LBFGS,
    AdaDelta,
    AdaGrad,
    Adam,
    Cosine,
    Exponential,
    FirstOrder,
    GradientDescent,
    InverseSquareRoot,
    InverseTime,
    Linear,
    LineSearchNewton,
    Momentum,
    Nesterov,
    PureNewton,
    RMSProp,
    Rule,
    Schedule,
    SteepestDescent,
    StepDecay,
    TrustNewton,
)
from newtonkit.objective import Objective
from newtonkit.oracle import Budget, Counts, Oracle
from newtonkit.result import History, Result
from newtonkit.solve import minimize
from newtonkit.state import Kind, Reason, State, StepFailure, StepInfo
from newtonkit.stopping import Stop

__version__ = "0.1.0"

__all__ = [
    "BFGS",
    "LBFGS",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "Backtracking",
    "Budget",
    "Cosine",
    "Counts",
    "DerivativeCheck",
    "DifferentiationError",
    "Exponential",
    "FirstOrder",
    "GradientDescent",
    "HagerZhang",
    "History",
    "InverseSquareRoot",
    "InverseTime",
    "Kind",
    "LineSearchNewton",
    "Linear",
    "Method",
    "Momentum",
    "Nesterov",
    "Objective",
    "Oracle",
    "PureNewton",
    "RMSProp",
    "Reason",
    "Result",
    "Rule",
    "Schedule",
    "SparseHessian",
    "State",
    "SteepestDescent",
    "StepDecay",
    "StepFailure",
    "StepInfo",
    "Stop",
    "TrustNewton",
    "Verdict",
    "check_derivatives",
    "classify",
    "grad",
    "hessian",
    "hessian_pattern",
    "hvp",
    "iterate",
    "minimize",
    "run",
    "sparse_hessian",
    "value_and_grad",
]
