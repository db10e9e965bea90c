"""`train`: validation of its arguments, and the run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from newtonkit.core.domain import Domain
from newtonkit.core.read_bounds import read_bounds
from newtonkit.core.termination import Termination, TerminationReason
from newtonkit.core.validation import check_choice, check_integer, check_real
from newtonkit.derivatives.pytree import Unflatten, flatten
from newtonkit.driver.result import Result
from newtonkit.linalg.kernels import Vector, all_finite
from newtonkit.methods.first_order import GradientTransform
from newtonkit.methods.schedules import Rate
from newtonkit.training.batches import Data, Sampling, as_data, as_validation
from newtonkit.training.loop import TrainingRun
from newtonkit.training.loss import Loss, check_loss
from newtonkit.training.progress import ProgressBar
from newtonkit.training.rules import configure_rule, resolve_rule, rule_to_resume
from newtonkit.training.state import Best, Limits, TrainingState
from newtonkit.training.update import Update

_RESTART = "omit it, or pass params=result.x to start a new run"


class _Default:
    """64 for a new run, the earlier batch size for a resumed one; None has another meaning."""

    def __repr__(self) -> str:
        return "64"


_DEFAULT = _Default()


def train(
    loss: Callable[[Any, Any], Any],
    params: Any,
    data: Any,
    method: str | GradientTransform | None = None,
    *,
    batch_size: int | _Default | None = _DEFAULT,
    epochs: int | None = None,
    steps: int | None = None,
    schedule: Rate | None = None,
    schedule_unit: str | None = None,
    seed: int | None = None,
    callback: Callable[[Update], Any] | None = None,
    progress: bool = False,
    options: Mapping[str, Any] | None = None,
    validation: Any = None,
    check_every: int | None = None,
    target: float = -math.inf,
    patience: int | None = None,
    maxtime: float = math.inf,
    bounds: Any = None,
    derivatives: str = "tape",
) -> Result:
    """Lower a loss over data by updates on mini-batches.

    Parameters
    ----------
    loss : callable
        loss(params, batch), written with ``autograd.numpy``; returns one real number, the mean over the rows of the
        batch.
    params : array_like, or a dict, list or tuple of arrays, or a Result
        The start. With an earlier Result of `train` that run is resumed from its end, bit for bit as if it had not been
        interrupted; epochs, steps and counts then include the earlier run. The method, its options, the schedule,
        batch_size and seed need not be given again.
    data : array, or tuple, list or dict of arrays
        One row per example; a batch has the same structure. Not copied.
    method : str or GradientTransform, optional
        "adam" (default), another first-order rule by name, an instance such as ``Momentum(rate=0.1)``, a composition by
        `newtonkit.chain`, or "lbfgs": L-BFGS without a line search on the gradients of batches, see
        `newtonkit.SampledLBFGS`.
    batch_size : int, at least 1, or None, default 64
        None, or at least the number of rows: all data in every update.
    epochs : int, at least 1
        Passes over the data. The rows are shuffled before each pass; the last batch may be smaller.
    steps : int, at least 1
        Instead of epochs: number of updates, each on a batch drawn with replacement.
    schedule : schedule, optional
        Instead of the rule's rate: a callable η(t), such as ``Warmup(Cosine(0.1, horizon=1000), steps=50)``.
    schedule_unit : {"updates", "epochs"}, default "updates"
        The unit of t, which starts at 1. With steps, an epoch is the number of updates of one pass.
    seed : int, at least 0, default 0
        Epoch e is drawn by ``numpy.random.default_rng((seed, e))``.
    callback : callable, optional
        callback(update) after every update, see `newtonkit.training.Update`; returning True or raising StopIteration
        ends the run.
    progress : bool, default False
        A progress bar on standard error.
    options : dict, optional
        Options of the rule, such as {"rate": 0.01}; and ``tape`` (bool, default True): record the operations of the
        loss once and replay them with numpy, which is faster than autograd.
    validation : as data, optional
        Held-out data: the best parameters and patience are then determined by the loss over these data.
    check_every : int, at least 1, optional
        Updates between two evaluations of the loss over all data; by default the updates of an epoch. Evaluations are
        counted in ``checks``, separately from the updates. With all data in every batch they cost nothing, since the
        gradient gives the loss too.
    target : float, optional
        Stop as soon as the loss over all data is at most this value.
    patience : int, at least 1, optional
        Stop after this number of successive evaluations without a lower loss.
    maxtime : float, positive, optional
        Seconds.
    bounds : optional
        As in `newtonkit.minimize`; for params in a dict, a dict of pairs. The start, every new point and every
        look-ahead point are projected onto the bounds, so the loss is never called outside them.
    derivatives : {"tape", "autograd", "jax", "torch"}, default "tape"
        Where gradients come from, as in `newtonkit.minimize`: for "jax" and "torch" the loss is written with
        ``jax.numpy`` or PyTorch. Give it again when a run is resumed.

    Returns
    -------
    Result
        ``x``: the parameters with the lowest loss among those evaluated, the last ones included; ``fun``: the loss over
        all data at x, by a plain call; ``last``: the last parameters; ``nit``: updates; ``nfev``, ``njev``: losses and
        gradients of batches; ``epochs``: rows of all gradients divided by the rows of the data; ``history``: a
        `newtonkit.training.TrainingHistory`; ``state``: what `train` needs to resume.

        ``reason`` is EPOCHS if the run ended as planned. This is a success, with two exceptions: DIVERGED if the loss
        was never below its initial value and ended above it, UNMOVED if no update changed the parameters. If a loss or
        gradient is not finite, the reason is NON_FINITE, the message names the batch, and ``last`` holds the parameters
        before it.

    Raises
    ------
    ValueError, TypeError
        If an argument is not valid; the message names it.
    Exception
        Any exception of loss or callback, with the Result so far as ``partial_result``.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> x = np.linspace(-1, 1, 200)
    >>> def loss(p, batch):
    ...     x, y = batch
    ...     return np.mean((p["slope"] * x + p["offset"] - y) ** 2)
    >>> result = train(loss, {"slope": 0.0, "offset": 0.0}, (x, 3 * x + 1), epochs=50, options={"rate": 0.05})
    >>> result.reason, result.x["slope"].round(2), result.x["offset"].round(2)
    (TerminationReason.EPOCHS, np.float64(3.0), np.float64(1.0))
    """
    check_loss(loss)
    tree = as_data(data)
    held_out = None if validation is None else as_validation(validation, data)
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable as callback(update), got {callback!r}")
    if not isinstance(options or {}, Mapping):
        raise TypeError(f"options must be a dict such as {{'rate': 0.01}}, got {options!r}")
    own = dict(options or {})
    check_choice("derivatives", derivatives, ("tape", "autograd", "jax", "torch"))
    source = derivatives if own.pop("tape", True) or derivatives != "tape" else "autograd"
    if isinstance(params, TrainingState):
        raise TypeError("params must be the Result to resume from, not its state: train(loss, result, data, epochs=…)")
    earlier = params if isinstance(params, Result) else None
    if earlier is None:
        vector, unflatten = flatten(params, "params")
        if not all_finite(vector):
            raise ValueError(f"params must be finite, got {params!r}")
        sampling = _sampling(tree, batch_size, epochs, steps, 0 if seed is None else seed)
        rule = resolve_rule("adam" if method is None else method)
        domain = read_bounds(bounds, vector.size, params)
        state = _start(
            domain.project(vector), configure_rule(rule, own, schedule, schedule_unit, sampling), sampling, domain
        )
    else:
        if bounds is not None:
            raise ValueError(f"bounds are those of the earlier run; {_RESTART}")
        state, unflatten = _resumed_state(earlier, tree, batch_size, epochs, steps, seed)
        rule = rule_to_resume(state.rule, method)
        kept = configure_rule(rule, own, schedule, schedule_unit, state.sampling, counts_updates=rule is state.rule)
        state = dataclasses.replace(state, rule=kept)
    limits = _limits(state.sampling, epochs, steps, check_every, target, patience, maxtime)
    run = TrainingRun(Loss(loss, unflatten, tree, source=source), unflatten, tree, held_out, limits, state, earlier)
    return run.run(callback, ProgressBar(limits.updates, state.t) if progress else None)


def _start(vector: Vector, rule: GradientTransform, sampling: Sampling, domain: Domain) -> TrainingState:
    best = Best(vector, math.nan, math.inf)
    return TrainingState(
        x=vector,
        transform_state=rule.init(vector.size),
        t=0,
        rule=rule,
        sampling=sampling,
        rows=0,
        best=best,
        bad_checks=0,
        first_loss=math.nan,
        last_evaluated=-1,
        moved=False,
        domain=domain,
    )


def _resumed_state(
    earlier: Result, data: Data, batch_size: Any, epochs: int | None, steps: int | None, seed: int | None
) -> tuple[TrainingState, Unflatten]:
    """The state of an earlier run and the structure of its parameters.

    Raises ValueError if an argument would change the batches of the earlier run.
    """
    state = earlier.get("state")
    if not isinstance(state, TrainingState):
        raise ValueError(
            "params is a result without a state of train, so it cannot be resumed; "
            "pass params=result.x to start a new run"
        )
    before = state.sampling
    if data.rows != before.rows:
        raise ValueError(
            f"data has {data.rows} rows, but the earlier run had {before.rows}; pass params=result.x to start a new run"
        )
    _one_of(epochs, steps)
    if (steps is not None) != before.replacement:
        unit = "steps" if before.replacement else "epochs"
        raise ValueError(f"the earlier run counted {unit}, so give {unit}, or pass params=result.x to start a new run")
    if batch_size is not _DEFAULT and _size(batch_size, data) != before.batch_size:
        raise ValueError(f"batch_size={batch_size!r}, but the earlier run had {before.batch_size}; {_RESTART}")
    if seed is not None and seed != before.seed:
        raise ValueError(f"seed={seed!r}, but the earlier run had {before.seed}; {_RESTART}")
    return state, flatten(earlier.x)[1]


def _one_of(epochs: int | None, steps: int | None) -> None:
    if epochs is None and steps is None:
        raise ValueError("give epochs (passes over the data) or steps (updates on batches drawn with replacement)")
    if epochs is not None and steps is not None:
        raise ValueError(
            f"give epochs or steps, not both: epochs={epochs!r} shuffles the data for every pass, "
            f"steps={steps!r} draws batches with replacement"
        )
    check_integer("epochs" if steps is None else "steps", epochs if steps is None else steps, 1)


def _size(batch_size: Any, data: Data) -> int | None:
    """The number of rows in a batch; None for all rows."""
    if batch_size is _DEFAULT:
        batch_size = 64
    if batch_size is None:
        return None
    check_integer("batch_size", batch_size, 1)
    return int(batch_size) if batch_size < data.rows else None


def _sampling(data: Data, batch_size: Any, epochs: int | None, steps: int | None, seed: int) -> Sampling:
    _one_of(epochs, steps)
    check_integer("seed", seed, 0)
    return Sampling(data.rows, _size(batch_size, data), steps is not None, int(seed))


def _limits(
    sampling: Sampling,
    epochs: int | None,
    steps: int | None,
    check_every: int | None,
    target: float,
    patience: int | None,
    maxtime: float,
) -> Limits:
    if check_every is not None:
        check_integer("check_every", check_every, 1)
    if patience is not None:
        check_integer("patience", patience, 1)
    check_real("target", target, open_high=True)
    check_real("maxtime", maxtime, 0.0, open_low=True)
    each = sampling.updates_per_epoch
    updates = steps if epochs is None else epochs * each
    assert updates is not None
    planned = Termination(
        TerminationReason.EPOCHS, limit=steps or epochs or 0, detail="epochs" if steps is None else "steps"
    )
    return Limits(updates, planned, check_every or each, target, math.inf if patience is None else patience, maxtime)
