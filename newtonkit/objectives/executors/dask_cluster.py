"""Evaluate the partitions on a dask cluster: of this machine, or of many."""

from __future__ import annotations

import pickle
import threading
import warnings
import weakref
from itertools import count
from typing import Any
from uuid import uuid4

from newtonkit.objectives.executors.dask_parts import Computed, dask_value, import_distributed
from newtonkit.objectives.executors.dask_tasks import Bundle, added, evaluate, same
from newtonkit.objectives.executors.partitions import Partitions
from newtonkit.objectives.executors.processes import TASKS_PER_WORKER
from newtonkit.objectives.executors.rounds import Rounds
from newtonkit.objectives.executors.terms import Definition, PartitionError, Request
from newtonkit.objectives.executors.tree_sum import Term, TreeSum

INLINE_BYTES = 800_000
"""Bytes of a request up to which every task carries it; a longer one is sent once, and workers pass it on. 1e5 numbers:
our choice."""
GATHERED_BYTES = 1 << 27
"""Bytes of partial sums up to which this process adds them; more are added on the workers first. Our choice: 128 MB."""


class Dask:
    """On a dask cluster. Partitions are results of tasks, so that the scheduler repeats what a dead worker kept.

    Workers keep loaded parts, compiled derivatives and linearizations, as those of `Processes` do. One thread of a
    worker evaluates at a time: start workers with one thread each. The sum is taken in a fixed tree, so that the result
    has the same bits for any number of workers.

    Parameters
    ----------
    cluster : distributed.Client, str or int, optional
        A client of a running cluster; the address of its scheduler; or the number of worker processes of a new
        ``LocalCluster`` on this machine, by default one for each processor.

    Raises
    ------
    ImportError
        If distributed is not installed.
    TypeError
        If the client is asynchronous.

    Notes
    -----
    A script that starts a ``LocalCluster`` must do so below ``if __name__ == "__main__":``, since the worker processes
    import the script.

    Examples
    --------
    >>> Dask("tcp://scheduler:8786")  # doctest: +SKIP
    Dask('tcp://scheduler:8786')
    """

    def __init__(self, cluster: Any = None) -> None:
        distributed = import_distributed()
        if isinstance(cluster, distributed.Client) and cluster.asynchronous:
            raise TypeError("executor requires a synchronous dask client: Client(address), without asynchronous=True")
        self._cluster = cluster
        self._client: Any = cluster if isinstance(cluster, distributed.Client) else None
        self._owned: list[Any] = []
        self._lock = threading.Lock()
        self._rounds = count()
        self._token = uuid4().hex
        self._workers: set[str] = set()
        self._placed: weakref.WeakKeyDictionary[Partitions, _Placed] = weakref.WeakKeyDictionary()
        self._definitions: weakref.WeakKeyDictionary[Definition, Any] = weakref.WeakKeyDictionary()
        weakref.finalize(self, _end, self._owned)

    def total(self, definition: Definition, request: Request, rounds: Rounds) -> Term:
        """Return the sum of all terms.

        Raises
        ------
        PartitionError
            If a partition fails; of several, the one with the lowest index.
        """
        with self._lock:
            self._connect()
            with rounds.of(request.kind).measured():
                return self._round(definition, request, rounds)

    def close(self) -> None:
        """Release what the workers keep, and end a cluster that this object has started; a request starts it again."""
        with self._lock:
            self._placed.clear()
            self._definitions.clear()
            if self._owned:
                _end(self._owned)
                self._client = None

    def _connect(self) -> None:
        distributed = import_distributed()
        if self._client is not None:
            return
        if isinstance(self._cluster, str):
            self._client = distributed.Client(self._cluster, set_as_default=False)
            self._owned.append(self._client)
            return
        local = distributed.LocalCluster(n_workers=self._cluster, threads_per_worker=1, dashboard_address=":0")
        self._client = distributed.Client(local, set_as_default=False)
        self._owned.extend((self._client, local))

    def _round(self, definition: Definition, request: Request, rounds: Rounds) -> Term:
        client, size, kind = self._client, len(definition.partitions), request.kind
        addresses = self._addresses(rounds)
        placed = self._place(definition.partitions, addresses, rounds, kind)
        header = self._send_definition(definition, rounds, kind)
        content = pickle.dumps(tuple(request), protocol=5)
        prefix = f"newtonkit-{kind}-{self._token}-{next(self._rounds)}"
        argument: Any = content
        if len(content) > INLINE_BYTES:
            argument = client.submit(same, content, key=f"{prefix}-request", pure=False)
        futures = [
            client.submit(
                evaluate,
                header,
                argument,
                placed.level,
                node,
                size,
                *placed.parts[node],
                key=f"{prefix}-{placed.level}-{node}",
                workers=worker,
                allow_other_workers=worker is not None,
                pure=False,
            )
            for node, worker in enumerate(placed.workers)
        ]
        rounds.of(kind).bytes_sent += len(content) * (len(futures) if argument is content else 1)
        level, add = placed.level, request.add
        while len(futures) > 1 and len(futures) * 8 * request.numbers > GATHERED_BYTES:
            level += 1
            futures = [
                client.submit(added, add, *futures[i : i + 2], key=f"{prefix}-{level}-{i // 2}", pure=False)
                for i in range(0, len(futures), 2)
            ]
        return self._gathered(futures, TreeSum(size, add), level, kind, rounds)

    def _gathered(self, futures: list[Any], tree: TreeSum, level: int, kind: str, rounds: Rounds) -> Term:
        """The sum of the answers; they are added in the tree, in whatever order they arrive."""
        nodes = {future.key: node for node, future in enumerate(futures)}
        errors: list[tuple[PartitionError, BaseException | None]] = []
        done = 0
        completed = import_distributed().as_completed(
            futures, loop=self._client.loop, with_results=True, raise_errors=False
        )
        for future, answer in completed:
            node = nodes[future.key]
            if future.status != "finished":
                errors.append(_lost(future.exception(), node << level))
                continue
            rounds.of(kind).bytes_received += len(answer)
            term, error = pickle.loads(answer)
            if error is not None:
                errors.append(error)
            else:
                tree.add(level, node, term)
            done += 1
            rounds.show(kind, done, len(futures))
        if errors:
            first, cause = min(errors, key=lambda error: error[0].partition)
            raise first from cause
        return tree.total

    def _addresses(self, rounds: Rounds) -> list[str]:
        """The workers of the cluster; those that have disappeared are counted."""
        found = set(self._client.nthreads())
        if not found:
            self._client.wait_for_workers(1)
            found = set(self._client.nthreads())
        rounds.replaced_workers += len(self._workers - found)
        self._workers = found
        return sorted(found)

    def _place(self, partitions: Partitions, addresses: list[str], rounds: Rounds, kind: str) -> _Placed:
        """The futures of the parts, and the worker for each node of the tree, the same in every round if it lives."""
        placed = self._placed.get(partitions)
        if placed is None:
            size = len(partitions)
            level = max(0, (size // (TASKS_PER_WORKER * len(addresses))).bit_length() - 1)
            nodes = -(-size >> level) if level else size
            placed = _Placed(level, [addresses[k * len(addresses) // nodes] for k in range(nodes)])
            with warnings.catch_warnings():
                # parts in memory are sent once, and the scheduler keeps them for workers that die
                warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
                for node in range(nodes):
                    recipes = partitions.recipes[node << level : (node + 1) << level]
                    placed.parts.append(self._send_parts(recipes, node, placed, rounds, kind))
            self._placed[partitions] = placed
        placed.replace_missing(addresses)
        return placed

    def _send_parts(self, recipes: list[Any], node: int, placed: _Placed, rounds: Rounds, kind: str) -> list[Any]:
        """The futures of the parts of one task."""
        if any(isinstance(recipe, Computed) for recipe in recipes):
            placed.workers[node] = None  # the scheduler evaluates where the collections lie
            computed: list[Any] = self._client.compute([dask_value(recipe) for recipe in recipes])
            return computed
        rounds.of(kind).bytes_sent += sum(getattr(recipe, "nbytes", 0) for recipe in recipes)
        key = f"newtonkit-parts-{self._token}-{next(self._rounds)}-{node}"
        worker = placed.workers[node]
        bundle = Bundle(recipes)
        return [self._client.submit(same, bundle, key=key, workers=worker, allow_other_workers=True, pure=False)]

    def _send_definition(self, definition: Definition, rounds: Rounds, kind: str) -> Any:
        if definition not in self._definitions:
            import cloudpickle

            d = definition
            key = f"newtonkit-definition-{self._token}-{d.key}"
            content = cloudpickle.dumps((d.loss, d.weights, d.source, d.memory), protocol=5)
            rounds.of(kind).bytes_sent += len(content)
            self._definitions[d] = self._client.submit(same, (key, content), key=key, pure=False)
        return self._definitions[definition]

    def __reduce__(self) -> tuple[Any, ...]:
        return Dask, (self._address,)

    @property
    def _address(self) -> Any:
        """What identifies the cluster in another process."""
        is_client = self._client is not None and self._client is self._cluster
        return self._client.scheduler.address if is_client else self._cluster

    def __repr__(self) -> str:
        address = self._address
        return f"Dask({'' if address is None else repr(address)})"


class _Placed:
    """The parts of one `Partitions` on the cluster: tasks are nodes of the tree of one level."""

    def __init__(self, level: int, workers: list[str | None]) -> None:
        self.level, self.workers = level, workers
        self.parts: list[list[Any]] = []

    def replace_missing(self, addresses: list[str]) -> None:
        """Give the nodes of workers that have disappeared to those that have the fewest."""
        load = {address: self.workers.count(address) for address in addresses}
        for node, worker in enumerate(self.workers):
            if worker is not None and worker not in load:
                self.workers[node] = fewest = min(addresses, key=lambda address: (load[address], address))
                load[fewest] += 1


def _lost(error: BaseException, first: int) -> tuple[PartitionError, BaseException]:
    """The error of a task that the cluster could not finish."""
    killed = type(error).__name__ == "KilledWorker"
    cause = (
        "the workers that evaluated them died: is there enough memory, or does the loss end the process?"
        if killed
        else f"{type(error).__name__}: {error}"
    )
    return PartitionError(f"the dask cluster could not evaluate partitions from {first} on: {cause}", first), error


def _end(owned: list[Any]) -> None:
    for each in owned:
        each.close()
    owned.clear()
