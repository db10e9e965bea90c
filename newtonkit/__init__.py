"""newtonkit: second-order and quasi-Newton optimization with exact derivatives."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from newtonkit.classification.examination import classify
from newtonkit.classification.verdict import Verdict
from newtonkit.convex.analysis import convexity
from newtonkit.convex.certificate import Convexity
from newtonkit.core.counts import Budget, Counts
from newtonkit.core.state import State, StepFailure, StepInfo
from newtonkit.core.termination import Kind, TerminationReason
from newtonkit.derivatives.autograd.tracing import DifferentiationError
from newtonkit.derivatives.functions import grad, hessian, hvp, value_and_grad
from newtonkit.derivatives.pytree import leaf_shapes
from newtonkit.derivatives.sparsity.colouring import SparseHessian, sparse_hessian
from newtonkit.derivatives.sparsity.patterns import hessian_pattern
from newtonkit.derivatives.taylor_test import DerivativeCheck, check_derivatives
from newtonkit.driver.history import History
from newtonkit.driver.iteration import iterate
from newtonkit.driver.method import Method
from newtonkit.driver.result import Result
from newtonkit.driver.runner import run
from newtonkit.driver.stopping import Stop
from newtonkit.evaluation.evaluator import Evaluator
from newtonkit.linesearch.backtracking import Backtracking
from newtonkit.linesearch.hager_zhang import HagerZhang
from newtonkit.linesearch.more_thuente import MoreThuente
from newtonkit.methods.adaptive import AdaDelta, AdaGrad, Adam, AdamW, Nadam, RMSProp
from newtonkit.methods.bfgs import BFGS
from newtonkit.methods.conjugate_gradient import ConjugateGradient
from newtonkit.methods.cubic import Cubic
from newtonkit.methods.dfp import DFP
from newtonkit.methods.first_order import FirstOrder, GradientTransform
from newtonkit.methods.gradient import GradientDescent, Momentum, Nesterov
from newtonkit.methods.lbfgs import LBFGS
from newtonkit.methods.line_search_newton import LineSearchNewton
from newtonkit.methods.lion import Lion
from newtonkit.methods.muon import Muon
from newtonkit.methods.pure_newton import PureNewton
from newtonkit.methods.registry import names as method_names
from newtonkit.methods.sampled_lbfgs import SampledLBFGS
from newtonkit.methods.schedules import (
    Cosine,
    Exponential,
    InverseSquareRoot,
    InverseTime,
    Linear,
    PerEpoch,
    Schedule,
    StepDecay,
    Warmup,
)
from newtonkit.methods.sr1 import SR1
from newtonkit.methods.steepest_descent import SteepestDescent
from newtonkit.methods.transforms.adam_moments import scale_by_adam, scale_by_nadam
from newtonkit.methods.transforms.clipping import clip_by_norm, clip_by_value
from newtonkit.methods.transforms.composition import chain
from newtonkit.methods.transforms.learning_rate import scale_by_learning_rate
from newtonkit.methods.transforms.momentum import trace
from newtonkit.methods.transforms.orthogonal_momentum import scale_by_muon
from newtonkit.methods.transforms.second_moments import scale_by_adadelta, scale_by_adagrad, scale_by_rmsprop
from newtonkit.methods.transforms.sign_momentum import scale_by_lion
from newtonkit.methods.transforms.weight_decay import add_weight_decay, decay_weights
from newtonkit.methods.trust_region_newton import TrustRegionNewton
from newtonkit.methods.trust_region_newton_cg import TrustRegionNewtonCG
from newtonkit.objectives.objective import Objective
from newtonkit.solve import minimize

if TYPE_CHECKING:
    from newtonkit.enumeration.global_search import GlobalMinimum, global_minimum
    from newtonkit.enumeration.points import CriticalPoint, CriticalPoints
    from newtonkit.enumeration.search import find_critical_points
    from newtonkit.fitting.curve import CurveFit
    from newtonkit.fitting.curve_fitting import curve_fit
    from newtonkit.fitting.result import FitResult
    from newtonkit.fitting.solver import least_squares
    from newtonkit.landscape.graph import MorseGraph
    from newtonkit.landscape.graph_builder import morse_graph
    from newtonkit.landscape.result_check import CheckedResult, Escape, check_result, escape
    from newtonkit.objectives.executors.dask_cluster import Dask
    from newtonkit.objectives.executors.partitions import as_partitions
    from newtonkit.objectives.executors.processes import Processes
    from newtonkit.objectives.finite_sum import FiniteSum
    from newtonkit.objectives.sum_of_squares import SumOfSquares
    from newtonkit.objectives.torch_module import from_module
    from newtonkit.training.interface import train

__version__ = "0.2.0"

# imported when they are used first: `minimize` does not need them, and a fresh process starts in less time
_LAZY = {
    "GlobalMinimum": "newtonkit.enumeration.global_search",
    "global_minimum": "newtonkit.enumeration.global_search",
    "CriticalPoint": "newtonkit.enumeration.points",
    "CriticalPoints": "newtonkit.enumeration.points",
    "find_critical_points": "newtonkit.enumeration.search",
    "CurveFit": "newtonkit.fitting.curve",
    "curve_fit": "newtonkit.fitting.curve_fitting",
    "FitResult": "newtonkit.fitting.result",
    "least_squares": "newtonkit.fitting.solver",
    "MorseGraph": "newtonkit.landscape.graph",
    "morse_graph": "newtonkit.landscape.graph_builder",
    "CheckedResult": "newtonkit.landscape.result_check",
    "Escape": "newtonkit.landscape.result_check",
    "check_result": "newtonkit.landscape.result_check",
    "escape": "newtonkit.landscape.result_check",
    "Dask": "newtonkit.objectives.executors.dask_cluster",
    "as_partitions": "newtonkit.objectives.executors.partitions",
    "Processes": "newtonkit.objectives.executors.processes",
    "FiniteSum": "newtonkit.objectives.finite_sum",
    "SumOfSquares": "newtonkit.objectives.sum_of_squares",
    "from_module": "newtonkit.objectives.torch_module",
    "train": "newtonkit.training.interface",
}

__all__ = [
    "BFGS",
    "DFP",
    "LBFGS",
    "SR1",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Backtracking",
    "Budget",
    "CheckedResult",
    "ConjugateGradient",
    "Convexity",
    "Cosine",
    "Counts",
    "CriticalPoint",
    "CriticalPoints",
    "Cubic",
    "CurveFit",
    "Dask",
    "DerivativeCheck",
    "DifferentiationError",
    "Escape",
    "Evaluator",
    "Exponential",
    "FiniteSum",
    "FirstOrder",
    "FitResult",
    "GlobalMinimum",
    "GradientDescent",
    "GradientTransform",
    "HagerZhang",
    "History",
    "InverseSquareRoot",
    "InverseTime",
    "Kind",
    "LineSearchNewton",
    "Linear",
    "Lion",
    "Method",
    "Momentum",
    "MoreThuente",
    "MorseGraph",
    "Muon",
    "Nadam",
    "Nesterov",
    "Objective",
    "PerEpoch",
    "Processes",
    "PureNewton",
    "RMSProp",
    "Result",
    "SampledLBFGS",
    "Schedule",
    "SparseHessian",
    "State",
    "SteepestDescent",
    "StepDecay",
    "StepFailure",
    "StepInfo",
    "Stop",
    "SumOfSquares",
    "TerminationReason",
    "TrustRegionNewton",
    "TrustRegionNewtonCG",
    "Verdict",
    "Warmup",
    "add_weight_decay",
    "as_partitions",
    "chain",
    "check_derivatives",
    "check_result",
    "classify",
    "clip_by_norm",
    "clip_by_value",
    "convexity",
    "curve_fit",
    "decay_weights",
    "escape",
    "find_critical_points",
    "from_module",
    "global_minimum",
    "grad",
    "hessian",
    "hessian_pattern",
    "hvp",
    "iterate",
    "leaf_shapes",
    "least_squares",
    "method_names",
    "minimize",
    "morse_graph",
    "run",
    "scale_by_adadelta",
    "scale_by_adagrad",
    "scale_by_adam",
    "scale_by_learning_rate",
    "scale_by_lion",
    "scale_by_muon",
    "scale_by_nadam",
    "scale_by_rmsprop",
    "sparse_hessian",
    "trace",
    "train",
    "value_and_grad",
]


def __getattr__(name: str) -> Any:
    if name == "compare":
        raise AttributeError("compare is in another package: from comparisons import compare")
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
