"""`train`: a rule, batches, a schedule, and the checks of what a caller passes in."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from newtonkit.core.termination import Termination, TerminationReason
from newtonkit.core.validation import check_integer, check_real
from newtonkit.derivatives.pytree import Unflatten, flatten
from newtonkit.driver.result import Result
from newtonkit.linalg.kernels import Vector, all_finite
from newtonkit.methods.first_order import Rule
from newtonkit.methods.schedules import Rate
from newtonkit.training.batches import Data, Sampling, as_data, as_validation
from newtonkit.training.loop import TrainingRun
from newtonkit.training.loss import Loss, check_loss
from newtonkit.training.progress import Bar
from newtonkit.training.rules import configured, found, rule_to_go_on
from newtonkit.training.state import Best, Limits, TrainingState
from newtonkit.training.update import Update


class _Default:
    """64 for a new run, as before for one that goes on; None means something else."""

    def __repr__(self) -> str:
        return "64"


_DEFAULT = _Default()


def train(
    loss: Callable[[Any, Any], Any],
    params: Any,
    data: Any,
    method: str | Rule | None = None,
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
) -> Result:
    """Lower a loss over data by updates on mini-batches.

    Parameters
    ----------
    loss : callable
        loss(params, batch), written with ``autograd.numpy``; returns one real number, the mean over the batch's rows.
    params : array_like, or a dict, list or tuple of arrays, or a Result
        The start. An earlier Result of `train`: go on from where it ended, bit for bit as if it had not been
        interrupted; epochs, steps and counts are those of both runs together. The method, its options, the schedule,
        batch_size and seed need not be given again.
    data : array, or tuple, list or dict of arrays
        With one row for each example; a batch has the same structure. Not copied.
    method : str or Rule, optional
        "adam" (default), another first-order rule by name, an instance such as ``Momentum(rate=0.1)``, or "lbfgs":
        L-BFGS without a line search on the gradients of batches, see `newtonkit.SampledLBFGS`.
    batch_size : int, at least 1, or None, default 64
        None, or no fewer than there are rows: all data in every update.
    epochs : int, at least 1
        Passes over the data. Before each the rows are shuffled; the last batch may be smaller.
    steps : int, at least 1
        In place of epochs: updates, each on a batch drawn with replacement.
    schedule : schedule, optional
        In place of the rule's rate: a callable η(t), such as ``Warmup(Cosine(0.1, horizon=1000), steps=50)``.
    schedule_unit : {"updates", "epochs"}, default "updates"
        What t counts, from 1. With steps, an epoch is as many updates as make one pass.
    seed : int, at least 0, default 0
        Epoch e is drawn by ``numpy.random.default_rng((seed, e))``.
    callback : callable, optional
        callback(update) after every update, see `newtonkit.training.Update`; returning True or raising StopIteration
        ends the run.
    progress : bool, default False
        A progress bar on standard error.
    options : dict, optional
        The rule's own, such as {"rate": 0.01}; and ``tape`` (bool, default True): replay autograd's work as straight
        numpy.
    validation : as data, optional
        Held-out data: parameters are then compared, and patience counts, by the loss over these.
    check_every : int, at least 1, optional
        Updates between two looks at the loss over all data; by default as many as make an epoch. Each is counted in
        ``checks``, apart from the updates; with all data in every batch it comes with the gradient.
    target : float, optional
        Stop as soon as the loss over all data is no larger.
    patience : int, at least 1, optional
        Stop when so many looks in succession brought nothing lower.
    maxtime : float, positive, optional
        Seconds.

    Returns
    -------
    Result
        ``x``: the parameters with the lowest loss among those looked at, the last ones included; ``fun``: the loss over
        all data there, by a plain call; ``last``: the last parameters; ``nit``: updates; ``nfev``, ``njev``: losses and
        gradients of batches; ``epochs``: passes over the data that these gradients amount to; ``history``, a
        `newtonkit.training.TrainingHistory`; ``state``: with it `train` goes on. Ended as planned, ``reason`` is
        EPOCHS, a success unless the loss was never below its value at the start and ended above it (DIVERGED), or no
        update moved the parameters (UNMOVED). A loss or gradient that is not finite ends the run with NON_FINITE, says
        at which batch, and ``last`` holds the parameters before it.

    Raises
    ------
    ValueError, TypeError
        For a mistake of the caller, naming the argument.
    Exception
        Whatever loss or callback raised, with the Result so far as ``partial_result``.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> x = np.linspace(-1, 1, 200)
    >>> def loss(p, batch):
    ...     x, y = batch
    ...     return np.mean((p["slope"] * x + p["offset"] - y) ** 2)
    >>> result = train(loss, {"slope": 0.0, "offset": 0.0}, (x, 3 * x + 1), epochs=50, options={"rate": 0.05})
    >>> result.reason, result.x["slope"].round(2), result.x["offset"].round(2)
    (TerminationReason.EPOCHS, array([3.]), array([1.]))
    """
    check_loss(loss)
    tree = as_data(data)
    held_out = None if validation is None else as_validation(validation, data)
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable as callback(update), got {callback!r}")
    if not isinstance(options or {}, Mapping):
        raise TypeError(f"options must be a dict such as {{'rate': 0.01}}, got {options!r}")
    own = dict(options or {})
    tape = bool(own.pop("tape", True))
    if isinstance(params, TrainingState):
        raise TypeError("params must be the Result to go on from, not its state: train(loss, result, data, epochs=…)")
    earlier = params if isinstance(params, Result) else None
    if earlier is None:
        vector, unflatten = flatten(params, "params")
        if not all_finite(vector):
            raise ValueError(f"params must be finite, got {params!r}")
        sampling = _sampling(tree, batch_size, epochs, steps, 0 if seed is None else seed)
        rule = found("adam" if method is None else method)
        state = _start(vector, configured(rule, own, schedule, schedule_unit, sampling), sampling)
    else:
        state, unflatten = _gone_on_from(earlier, tree, batch_size, epochs, steps, seed)
        rule = rule_to_go_on(state.rule, method)
        kept = configured(rule, own, schedule, schedule_unit, state.sampling, counts_updates=rule is state.rule)
        state = dataclasses.replace(state, rule=kept)
    limits = _limits(state.sampling, epochs, steps, check_every, target, patience, maxtime)
    run = TrainingRun(Loss(loss, unflatten, tree, tape=tape), unflatten, tree, held_out, limits, state, earlier)
    return run.to_the_end(callback, Bar(limits.updates, state.t) if progress else None)


def _start(vector: Vector, rule: Rule, sampling: Sampling) -> TrainingState:
    best = Best(vector, math.nan, math.inf)
    return TrainingState(vector, rule.start(vector.size), 0, rule, sampling, 0, best, 0, math.nan, -1, False)


def _gone_on_from(
    earlier: Result, data: Data, batch_size: Any, epochs: int | None, steps: int | None, seed: int | None
) -> tuple[TrainingState, Unflatten]:
    """The state of an earlier run, and its structure; whatever would change its batches is refused."""
    state = earlier.get("state")
    if not isinstance(state, TrainingState):
        raise ValueError(
            "params is a result without a state of train to go on from; pass params=result.x to start anew"
        )
    before = state.sampling
    if data.rows != before.rows:
        raise ValueError(f"data has {data.rows} rows, but the earlier run had {before.rows}; {_ANEW}")
    _one_of(epochs, steps)
    if (steps is not None) != before.replacement:
        raise ValueError(f"the earlier run counted {'steps' if before.replacement else 'epochs'}: go on so; {_ANEW}")
    if batch_size is not _DEFAULT and _size(batch_size, data) != before.batch_size:
        raise ValueError(f"batch_size={batch_size!r}, but the earlier run had {before.batch_size}; {_ANEW}")
    if seed is not None and seed != before.seed:
        raise ValueError(f"seed={seed!r}, but the earlier run had {before.seed}; {_ANEW}")
    return state, flatten(earlier.x)[1]


_ANEW = "leave it out, or pass params=result.x to start anew"


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
    """The number of rows in a batch; None for all."""
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
