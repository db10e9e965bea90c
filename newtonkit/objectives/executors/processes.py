"""Evaluate the partitions in worker processes of this machine."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
import weakref
from collections import deque
from itertools import pairwise
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from newtonkit.core.validation import check_integer
from newtonkit.objectives.executors.rounds import Rounds
from newtonkit.objectives.executors.terms import Definition, PartitionError, Request
from newtonkit.objectives.executors.tree_sum import Term, TreeSum

TASKS_PER_WORKER = 4
"""Tasks of a round for each worker: more balance the load better, fewer transfer less. Our choice."""
MAX_DEATHS = 2
"""Workers that may die during one task: a cause outside, such as a kill, does not strike one task three times."""

_COMMAND = "from newtonkit.objectives.executors.worker import main; main({})"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Processes:
    """In worker processes, which keep parts, compiled derivatives and linearizations; BLAS runs on one thread in each.

    A worker that dies is replaced, and its task is repeated. The sum is taken in a fixed tree, so that the result has
    the same bits for any number of workers. Processes start with the first request and end with `close`, or with this
    object. POSIX systems only.

    Parameters
    ----------
    workers : int, at least 1, optional
        Default: the number of processors that this process may use.

    Raises
    ------
    ImportError
        If cloudpickle is not installed, which sends functions to the workers.

    Examples
    --------
    >>> Processes(2)
    Processes(2)
    """

    def __init__(self, workers: int | None = None) -> None:
        if workers is not None:
            check_integer("workers", workers, 1)
        try:
            import cloudpickle
        except ImportError as error:
            raise ImportError(
                "worker processes require the package cloudpickle: pip install 'newtonkit[processes]'"
            ) from error
        self._pickle = cloudpickle.dumps
        self.workers = workers or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else workers or 1
        self._pool: list[_WorkerProcess] = []
        self._lock = threading.Lock()
        weakref.finalize(self, _end, self._pool)

    def total(self, definition: Definition, request: Request, rounds: Rounds) -> Term:
        """Return the sum of all terms.

        Raises
        ------
        PartitionError
            If a partition fails; of several, the one with the lowest index.
        """
        with self._lock:
            while len(self._pool) < self.workers:
                self._pool.append(_WorkerProcess())
            record = rounds.of(request.kind)
            before = [(w.sent, w.received) for w in self._pool]
            try:
                with record.measured():
                    return self._round(definition, request, rounds)
            except BaseException:
                for worker in self._pool:
                    if worker.task is not None:  # its answer would be taken for that of a later task
                        worker.replace()
                raise
            finally:
                record.bytes_sent += sum(w.sent - s for w, (s, _) in zip(self._pool, before, strict=True))
                record.bytes_received += sum(w.received - r for w, (_, r) in zip(self._pool, before, strict=True))

    def close(self) -> None:
        """End the worker processes; a later request starts new ones."""
        with self._lock:
            _end(self._pool)

    def _round(self, definition: Definition, request: Request, rounds: Rounds) -> Term:
        size = len(definition.partitions)
        level = max(0, (size // (TASKS_PER_WORKER * self.workers)).bit_length() - 1)
        queues = _divided(
            [_Task(level, index, 0) for index in range(-(-size >> level) if level else size)], self.workers
        )
        tree, done = TreeSum(size, request.add), 0
        errors: list[tuple[PartitionError, BaseException | None]] = []
        for worker in self._pool:
            worker.request = None
        while True:
            if not errors:
                for number, worker in enumerate(self._pool):
                    task = _next_task(queues, number) if worker.task is None else None
                    if task is not None:
                        self._give(worker, task, definition, request, rounds)
            busy = {worker.connection: worker for worker in self._pool if worker.task is not None}
            if not busy:
                break
            for ready in wait(list(busy)):
                worker = busy[ready]  # type: ignore[index]
                task = worker.task
                assert task is not None
                try:
                    term, error = worker.receive()
                except (EOFError, OSError):
                    self._repeat(worker, task, definition, request, rounds)
                    continue
                worker.task = None
                if error is not None:
                    errors.append(error)
                else:
                    tree.add(task.level, task.node, term)
                done += min(1 << task.level, size - (task.node << task.level))
                rounds.show(request.kind, done, size)
        if errors:
            first, cause = min(errors, key=lambda error: error[0].partition)
            raise first from cause
        return tree.total

    def _give(
        self, worker: _WorkerProcess, task: _Task, definition: Definition, request: Request, rounds: Rounds
    ) -> None:
        """Send a task, and before it what the worker lacks; a worker that has died is replaced."""
        worker.task = task
        try:
            self._send_definition(worker, definition)
            start = task.node << task.level
            stop = min(start + (1 << task.level), len(definition.partitions))
            missing = {i: definition.partitions.recipes[i] for i in range(start, stop) if i not in worker.parts}
            if missing:
                worker.send(("parts", missing), self._pickle)
                worker.parts.update(missing)
            if worker.request is not request:
                worker.send(("request", *request))
                worker.request = request
            worker.send(("task", task.level, task.node))
        except (BrokenPipeError, ConnectionError):
            self._repeat(worker, task, definition, request, rounds)

    def _send_definition(self, worker: _WorkerProcess, definition: Definition) -> None:
        if worker.partitions != definition.partitions.key:
            worker.send(("forget",))
            worker.parts.clear()
            worker.partitions = definition.partitions.key
            worker.definition = None
        if worker.definition != definition.key:
            d = definition
            worker.send(("definition", self._pickle(d.loss), d.weights, d.source, d.memory))
            worker.definition, worker.request = definition.key, None

    def _repeat(
        self, worker: _WorkerProcess, task: _Task, definition: Definition, request: Request, rounds: Rounds
    ) -> None:
        """Replace a worker that has died, and give the task to the new one."""
        code = worker.replace()
        rounds.replaced_workers += 1
        if task.deaths == MAX_DEATHS:
            first = task.node << task.level
            raise PartitionError(
                f"{task.deaths + 1} worker processes died, the last with exit code {code}, while they evaluated "
                f"partitions from {first} on: is there enough memory, or does the loss end the process?",
                first,
            )
        self._give(worker, task._replace(deaths=task.deaths + 1), definition, request, rounds)

    def __reduce__(self) -> tuple[Any, ...]:
        return Processes, (self.workers,)

    def __repr__(self) -> str:
        return f"Processes({self.workers})"


class _Task(NamedTuple):
    """A node of the tree, and how many workers have died with it."""

    level: int
    node: int
    deaths: int


class _WorkerProcess:
    """One process, the pipe to it, and what it has received."""

    def __init__(self) -> None:
        self.sent = self.received = 0
        self._start()

    def _start(self) -> None:
        self.connection: Connection
        self.connection, other = Pipe()
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        with other:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND.format(other.fileno())],
                pass_fds=[other.fileno()],
                env=os.environ | _ONE_THREAD | {"PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
            )
        self.task: _Task | None = None
        self.definition: int | None = None
        self.partitions: int | None = None
        self.parts: set[int] = set()
        self.request: Request | None = None

    def send(self, message: Any, dumps: Any = pickle.dumps) -> None:
        """Send a message."""
        content = dumps(message, protocol=5)
        self.sent += len(content)
        self.connection.send_bytes(content)

    def receive(self) -> Any:
        """Wait for an answer."""
        content = self.connection.recv_bytes()
        self.received += len(content)
        return pickle.loads(content)

    def end(self) -> int:
        """End the process; return its exit code."""
        self.connection.close()
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait()

    def replace(self) -> int:
        """Start a new process in place of this one; return the exit code of the old one."""
        code = self.end()
        self._start()
        return code


def _end(pool: list[_WorkerProcess]) -> None:
    for worker in pool:
        with contextlib.suppress(OSError):
            worker.end()
    pool.clear()


def _divided(tasks: list[_Task], workers: int) -> list[deque[_Task]]:
    """The tasks of each worker: neighbours together, the same in every round, so that workers find what they kept."""
    bounds = [len(tasks) * k // workers for k in range(workers + 1)]
    return [deque(tasks[a:b]) for a, b in pairwise(bounds)]


def _next_task(queues: list[deque[_Task]], number: int) -> _Task | None:
    """The next own task of a worker, else the last one of the longest other queue."""
    if queues[number]:
        return queues[number].popleft()
    longest = max(queues, key=len)
    return longest.pop() if longest else None
