"""A fitted curve: parameters, covariance, intervals, predictions and bands."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from newtonkit.classification.verdict import Verdict
from newtonkit.core.termination import TerminationReason
from newtonkit.core.validation import check_choice, check_real
from newtonkit.fitting.curve_residuals import ParameterMap
from newtonkit.fitting.intervals import profile_interval, quantile
from newtonkit.fitting.report import fit_report
from newtonkit.fitting.result import FitResult
from newtonkit.linalg.kernels import Matrix, Vector

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OUTLIER = 5.0  # residuals this many times the robust standard deviation 1.4826·median|r| are listed as outliers
_DIFFERENCE = np.finfo(float).eps ** (1 / 3)  # relative step of the model's derivatives at new x, central differences


class CurveFit:
    """The outcome of `newtonkit.curve_fit`; unpacks to (popt, pcov).

    Attributes
    ----------
    popt : ndarray, shape (n,)
        The free parameters.
    pcov : ndarray, shape (n, n)
        Their covariance; infinite where the data do not determine them, NaN in rows of parameters at a bound.
    names : list of str
        Names of the free parameters.
    parameters : dict of name to value
        All parameters of f, fixed and tied ones included.
    errors : ndarray, shape (n,)
        Standard errors.
    result : FitResult
        The underlying least-squares fit, with counts of evaluations, Jacobian and covariances.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import newtonkit
    >>> t = np.arange(5.0)
    >>> fit = newtonkit.curve_fit(lambda t, slope: slope * t, t, np.array([0.0, 2.1, 3.9, 6.0, 8.1]))
    >>> round(fit.parameters["slope"], 2)
    2.01
    """

    def __init__(
        self,
        f: Callable[..., Any],
        xdata: Any,
        ydata: Vector,
        result: FitResult,
        parameters: ParameterMap,
        *,
        absolute_sigma: bool,
        full_output: bool,
    ) -> None:
        self.f, self.xdata, self.ydata, self.result = f, xdata, ydata, result
        self.popt: Vector = np.asarray(result.vector)
        self.names: list[str] = result.names
        self._all = parameters
        self.parameters = dict(zip(parameters.names, map(float, parameters(self.popt)), strict=True))
        self.absolute_sigma = absolute_sigma
        self._full_output = full_output
        self._at_data: Vector | None = None
        self.free = int(np.sum(np.isfinite(np.diag(result.covariance)) | np.isinf(np.diag(result.covariance))))
        self.degrees = self.ydata.size - self.free
        factor = 1.0
        if absolute_sigma:
            factor = self.degrees / (2.0 * result.cost) if result.cost > 0.0 else math.nan
        failed = not result.success
        self._factor = factor
        self.pcov: Matrix = np.full_like(result.covariance, np.inf) if failed else factor * result.covariance

    def __getstate__(self) -> dict[str, Any]:
        """Without the model where it cannot be pickled, such as a lambda; its values at the data are kept."""
        state = self.__dict__ | {"_at_data": self.predict()}
        for name in ("f", "_all", "xdata"):
            try:
                pickle.dumps(state[name])
            except Exception:  # whatever the objects of the user raise
                state[name] = None
        return state

    def __iter__(self) -> Iterator[Any]:
        yield self.popt
        yield self.pcov
        if self._full_output:
            infodict = {"nfev": self.result.nfev, "fvec": self.result.fun}
            yield from (infodict, self.result.message, 1 if self.result.success else 5)

    def __len__(self) -> int:
        return 5 if self._full_output else 2

    def __getitem__(self, i: Any) -> Any:
        return tuple(self)[i]

    @property
    def success(self) -> bool:
        """Whether the fit converged to a minimum that the data determine."""
        return bool(self.result.success)

    @property
    def message(self) -> str:
        """Why the fit ended, as a sentence."""
        return str(self.result.message)

    @property
    def reason(self) -> TerminationReason:
        """Why the fit ended."""
        reason: TerminationReason = self.result.reason
        return reason

    @property
    def verdict(self) -> Verdict:
        """What kind of point the fit ended at."""
        verdict: Verdict = self.result.verdict
        return verdict

    @property
    def residuals(self) -> Vector:
        """The weighted residuals (f − y)/σ, shape (m,)."""
        return np.asarray(self.result.fun)

    @property
    def errors(self) -> Vector:
        """Standard errors: the roots of the diagonal of pcov."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sqrt(np.diag(self.pcov)))

    @property
    def variance(self) -> float:
        """The variance of the weighted residuals: s², or 1 with absolute_sigma."""
        if self.absolute_sigma:
            return 1.0
        return 2.0 * float(self.result.cost) / self.degrees if self.degrees > 0 else math.inf

    @property
    def correlation(self) -> Matrix:
        """The correlation matrix of the parameters."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.pcov / self.errors / self.errors[:, np.newaxis])

    @property
    def sandwich_errors(self) -> Vector:
        """Standard errors by the sandwich form with the exact Hessian; NaN where it is not available."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sqrt(self._factor * np.diag(self.result.covariances.sandwich)))

    @property
    def r_squared(self) -> float:
        """1 − Σ(y − f)²/Σ(y − mean y)²; NaN for constant data."""
        spread = float(np.sum((self.ydata - self.ydata.mean()) ** 2))
        return 1.0 - float(np.sum((self.ydata - self.predict()) ** 2)) / spread if spread > 0.0 else math.nan

    @property
    def aic(self) -> float:
        """Akaike's criterion m log(RSS/m) + 2(k + 1) for normal residuals, with k free parameters."""
        return self._log_likelihood_term() + 2.0 * (self.free + 1)

    @property
    def bic(self) -> float:
        """Schwarz's criterion m log(RSS/m) + (k + 1) log m."""
        return self._log_likelihood_term() + (self.free + 1) * math.log(self.ydata.size)

    def _log_likelihood_term(self) -> float:
        m, total = self.ydata.size, 2.0 * float(self.result.cost)
        return m * math.log(total / m) if total > 0.0 else -math.inf

    @property
    def outliers(self) -> Any:
        """Indices of the data whose weighted residual exceeds 5 robust standard deviations (1.4826·median|r|)."""
        r = np.abs(self.result.fun)
        scale = 1.4826 * float(np.median(r))
        return np.flatnonzero(r > _OUTLIER * scale) if scale > 0.0 else np.empty(0, dtype=int)

    def intervals(self, level: float = 0.95, method: str = "t") -> dict[str, tuple[float, float]]:
        """Confidence intervals of the free parameters.

        Parameters
        ----------
        level : float in (0, 1), default 0.95
        method : {"t", "profile"}, default "t"
            "t": estimate ± t·standard error, with t of Student's distribution with m − n degrees of freedom (normal
            with absolute_sigma). "profile": where the cost, minimized over the other parameters, stays below the
            corresponding threshold; it takes refits, and follows the curvature of the model.

        Returns
        -------
        dict of name to (low, high)
        """
        check_real("level", level, 0.0, 1.0, open_low=True, open_high=True)
        check_choice("method", method, ("t", "profile"))
        degrees = math.inf if self.absolute_sigma else self.degrees
        q = quantile(level, degrees) if degrees > 0 else math.nan
        if method == "t":
            half = q * self.errors
            return {name: (float(v - h), float(v + h)) for name, v, h in zip(self.names, self.popt, half, strict=True)}
        setting = self.result.get("setting")
        if setting is None:
            raise ValueError("profile intervals require refits, which a fit that was pickled cannot make; fit again")
        found = {}
        for i, name in enumerate(self.names):
            found[name] = profile_interval(
                setting.functions,
                setting.loss,
                setting.domain,
                self.popt,
                i,
                cost=float(self.result.cost),
                variance=self.variance,
                error=float(self.errors[i]),
                threshold=q,
            )
        return found

    def predict(self, x: Any = None) -> Vector:
        """f at new x, or at the data, with the fitted parameters."""
        if x is None and self._at_data is not None:
            return self._at_data.copy()
        if self.f is None or self._all is None:
            raise ValueError("the model could not be pickled: fit again, or define it by `def` in a module")
        at = self.xdata if x is None else np.asarray(x, dtype=np.float64)
        shape = self.ydata.shape if x is None else np.shape(at)[-1:]
        return np.broadcast_to(np.asarray(self.f(at, *self._all(self.popt)), dtype=np.float64), shape).copy()

    def band(self, x: Any = None, level: float = 0.95, kind: str = "confidence") -> tuple[Vector, Vector]:
        """Lower and upper curve of the pointwise band, by the linearized model.

        Parameters
        ----------
        x : array_like, optional
            Where; at the data by default.
        level : float in (0, 1), default 0.95
        kind : {"confidence", "prediction"}
            Of the curve, or of a new observation with the variance of the residuals.
        """
        check_real("level", level, 0.0, 1.0, open_low=True, open_high=True)
        check_choice("kind", kind, ("confidence", "prediction"))
        middle = self.predict(x)
        A = self._sensitivities(x, middle)
        covariance = np.where(np.isnan(self.pcov), 0.0, self.pcov)
        variance = np.einsum("ij,jk,ik->i", A, covariance, A)
        if kind == "prediction":
            variance = variance + self.variance
        half = quantile(level, math.inf if self.absolute_sigma else self.degrees) * np.sqrt(variance)
        return middle - half, middle + half

    def _sensitivities(self, x: Any, middle: Vector) -> Matrix:
        at = self.xdata if x is None else np.asarray(x, dtype=np.float64)
        columns = []
        for i in range(self.popt.size):
            h = _DIFFERENCE * (abs(self.popt[i]) or 1.0)
            sides = []
            for t in (h, -h):
                values = self.popt.copy()
                values[i] += t
                sides.append(np.asarray(self.f(at, *self._all(values)), dtype=np.float64))
            columns.append(np.broadcast_to((sides[0] - sides[1]) / (2.0 * h), middle.shape))
        return np.array(columns).T

    def report(self, level: float = 0.95) -> str:
        """The fit as text: parameters with errors and intervals, correlations, goodness of fit, verdict, warnings."""
        return fit_report(self, level)

    __str__ = report
    __repr__ = report

    def plot(self, level: float = 0.95) -> Figure:
        """Data, fitted curve, confidence and prediction bands, residuals; for one-dimensional xdata."""
        from newtonkit.plots.curve_fit_figure import plot_curve_fit

        if np.ndim(self.xdata) != 1:
            raise ValueError("plot requires one-dimensional xdata")
        grid = np.linspace(self.xdata.min(), self.xdata.max(), 300)
        bands = {kind: self.band(grid, level, kind) for kind in ("confidence", "prediction")}
        residuals = self.ydata - self.predict()
        return plot_curve_fit(self.xdata, self.ydata, grid, self.predict(grid), bands, residuals, level)
