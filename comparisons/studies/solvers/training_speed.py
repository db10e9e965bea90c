"""Time of a step of Adam on a mini-batch: by plain autograd, by the tape, and by PyTorch if it is installed."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import newtonkit
from comparisons.report.document import Document, Table
from comparisons.running.workers import one_thread_each
from problems.networks import Network, binary_cross_entropy, softmax_cross_entropy

Array = NDArray[Any]

AUTOGRAD, TAPE, TORCH, TORCH32 = "autograd", "tape", "torch float64", "torch float32"

_ROUNDS = 3  # over all sources in turn, so that interference from other processes affects all of them
_WARM = 5  # steps before the clock: the tape is recorded, PyTorch has allocated
_RATE = 1e-3
_BATCHES = 4  # of examples drawn; their content does not affect the time


@dataclass(frozen=True)
class Setting:
    """A network, and the size of its batches."""

    name: str
    sizes: tuple[int, ...]
    batch: int
    steps: int
    """Timed in each round."""

    @property
    def binary(self) -> bool:
        """Whether there is one score, for two classes."""
        return self.sizes[-1] == 1


@dataclass(frozen=True, slots=True)
class StepTime:
    """Microseconds a step, medians, by source; PyTorch's are missing where it is not installed."""

    name: str
    n: int
    batch: int
    micros: dict[str, float]
    derivatives: str
    """Where the gradients of the source "tape" did come from."""
    largest_difference: float
    """Between the losses of the tape and of PyTorch in float64, step by step, relative; NaN without PyTorch."""


SETTINGS = (
    Setting("2-5-2-1", (2, 5, 2, 1), 64, 1000),
    Setting("64-32-10", (64, 32, 10), 64, 500),
    Setting("784-100-100-100-100-10", (784, 100, 100, 100, 100, 10), 128, 60),
)


def measure(settings: Sequence[Setting] = SETTINGS) -> list[StepTime]:
    """Time all sources on every setting, in one process of their own with one thread for linear algebra."""
    with one_thread_each(), ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(_step_time, settings))


def _step_time(setting: Setting) -> StepTime:
    network = Network(setting.sizes)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((_BATCHES * setting.batch, setting.sizes[0]))
    labels = rng.integers(max(2, setting.sizes[-1]), size=len(x))
    sources: dict[str, Callable[[], tuple[list[float], list[float]]]] = {}
    found = ""

    def ours(*, tape: bool) -> tuple[list[float], list[float]]:
        nonlocal found
        result, seconds = _train(network, setting, x, labels, tape=tape)
        if tape:
            found = result.derivatives
        return seconds, list(result.history.loss)

    sources[AUTOGRAD] = lambda: ours(tape=False)
    sources[TAPE] = lambda: ours(tape=True)
    if has_torch():
        sources[TORCH] = lambda: _train_torch(network, setting, x, labels, "float64")
        sources[TORCH32] = lambda: _train_torch(network, setting, x, labels, "float32")
    seconds: dict[str, list[float]] = {source: [] for source in sources}
    losses: dict[str, list[float]] = {}
    for _ in range(_ROUNDS):
        for source, run in sources.items():
            each, losses[source] = run()
            seconds[source] += each
    difference = float("nan")
    if TORCH in losses:
        one, other = np.array(losses[TAPE]), np.array(losses[TORCH])
        difference = float(np.max(np.abs(one - other) / np.abs(other)))
    micros = {source: 1e6 * statistics.median(each) for source, each in seconds.items()}
    return StepTime(setting.name, network.n, setting.batch, micros, found, difference)


def _train(
    network: Network, setting: Setting, x: Array, labels: Array, *, tape: bool
) -> tuple[newtonkit.Result, list[float]]:
    """`newtonkit.train` as users call it, with the times between its updates: drawing the batch and all."""
    cross_entropy = binary_cross_entropy if setting.binary else softmax_cross_entropy

    def loss(params: Any, batch: tuple[Any, Any]) -> Any:
        return cross_entropy(network.scores(params, batch[0]), batch[1])

    clock: list[float] = []
    result = newtonkit.train(
        loss,
        network.start(seed=0),
        (x, labels),
        newtonkit.Adam(rate=_RATE),
        batch_size=setting.batch,
        steps=setting.steps + _WARM,
        check_every=setting.steps + _WARM,
        callback=lambda update: clock.append(time.perf_counter()),
        options={"tape": tape},
    )
    return result, list(np.diff(clock)[_WARM - 1 :])


def has_torch() -> bool:
    """Whether PyTorch is installed."""
    try:
        import torch  # noqa: F401
    except ImportError:
        return False
    return True


def _train_torch(
    network: Network, setting: Setting, x: Array, labels: Array, dtype: str
) -> tuple[list[float], list[float]]:
    """The same updates on the same batches, as PyTorch's users write them, without its compiler."""
    import torch

    torch.set_num_threads(1)
    kind = getattr(torch, dtype)
    layers: list[Any] = []
    for layer in network.start(seed=0):
        linear = torch.nn.Linear(*layer["W"].shape, dtype=kind)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(layer["W"].T))
            linear.bias.copy_(torch.tensor(layer["b"]))
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    # fused: a third faster here than PyTorch's default
    optimizer = torch.optim.Adam(model.parameters(), lr=_RATE, fused=True)
    cross_entropy = torch.nn.BCEWithLogitsLoss() if setting.binary else torch.nn.CrossEntropyLoss()
    points = torch.tensor(x, dtype=kind)
    targets = torch.tensor(labels, dtype=kind)[:, None] if setting.binary else torch.tensor(labels)
    updates, clock, losses = setting.steps + _WARM, [], []
    epoch, each = 0, -(-len(x) // setting.batch)
    for t in range(updates):
        if t % each == 0:  # as `newtonkit.train` draws them
            epoch += 1
            drawn = np.random.default_rng((0, epoch)).integers(len(x), size=(each, setting.batch))
        rows = torch.from_numpy(drawn[t % each])
        optimizer.zero_grad()
        loss = cross_entropy(model(points[rows]), targets[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        clock.append(time.perf_counter())
    return list(np.diff(clock)[_WARM - 1 :]), losses


def training_table(times: Sequence[StepTime]) -> Table:
    """One row for each network."""
    sources = [source for source in (AUTOGRAD, TAPE, TORCH, TORCH32) if all(source in t.micros for t in times)]
    headings = ("network", "n", "batch", *sources, "autograd/tape", *(f"tape/{source}" for source in sources[2:]))
    rows = [
        [
            t.name,
            str(t.n),
            str(t.batch),
            *(f"{t.micros[source]:.0f}" for source in sources),
            f"{t.micros[AUTOGRAD] / t.micros[TAPE]:.2f}",
            *(f"{t.micros[TAPE] / t.micros[source]:.2f}" for source in sources[2:]),
        ]
        for t in times
    ]
    return Table("A step of Adam, µs, medians, one process, one thread", headings, rows)


def run() -> Document:
    """The table of all networks."""
    return Document("Training steps", [training_table(measure())])
