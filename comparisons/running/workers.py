"""One process for each run, with limits: a hang, a crash or a flood of memory costs that run only."""

from __future__ import annotations

import atexit
import math
import multiprocessing
import os
import pickle
import queue
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from comparisons.running.worker_main import KEEPS_MEMORY, Function, serve
from comparisons.running.worker_process import Child, TaskOutcome, TaskStatus, exit_description

__all__ = ["TaskOutcome", "TaskStatus", "no_memory_limit", "one_thread_each", "run_all"]

# A fork of a server that has imported everything costs 10 ms, against 1 s for a new interpreter. Only Linux is safe to
# fork from: the system libraries of macOS may run threads, whose locks a child would find held for ever.
_FORKS = sys.platform == "linux"
_CONTEXT: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")


def no_memory_limit() -> str:
    """Why runs have no limit on memory here, as a sentence; empty where they have."""
    return "" if KEEPS_MEMORY else f"The limit on memory is not kept: {sys.platform} has none that can be relied on."


def run_all(
    tasks: Iterable[Any],
    function: Function,
    *,
    jobs: int = 1,
    seconds: float = math.inf,
    megabytes: float = math.inf,
    preload: Sequence[str] = (),
    reuse: bool = not _FORKS,
) -> Iterator[TaskOutcome]:
    """Call ``function(task, report)`` for every task, each in a process of its own; outcomes come as they are ready.

    The limits are kept from outside: a run that exceeds its time is killed, with all it has started. Abandoning the
    iterator, or Ctrl-C, kills every process at once; an outcome that was handed out is complete.

    Parameters
    ----------
    tasks : iterable
        Of anything that can be pickled.
    function : callable
        At the top level of a module. It returns bytes; what it has so far it may give to ``report``, as bytes, so
        that a run that is stopped leaves more than nothing. Nothing that comes back is unpickled.
    jobs : int, at least 1, default 1
        Runs at a time.
    seconds : float, positive, default inf
        For each run.
    megabytes : float, positive, default inf
        Each run may allocate beyond what its process held at the beginning; see `no_memory_limit`.
    preload : sequence of str, optional
        Modules that the function needs: imported once instead of once for each process.
    reuse : bool, default False on Linux, True elsewhere
        Whether a process whose run returned or raised is given another. Saves its start, 10 ms on Linux and 1 s
        elsewhere; but a run may then depend on those before it.

    Returns
    -------
    iterator of TaskOutcome

    Raises
    ------
    TypeError
        If a task or the function cannot be sent to another process.
    RuntimeError
        From the iterator, if processes cannot be started.

    Notes
    -----
    Processes have one BLAS thread each, and no part in the terminal: Ctrl-C reaches this process only. A thread for
    each job watches its process, so that a caller who is slow to take the outcomes holds up no run.
    """
    if not isinstance(jobs, int) or jobs < 1:
        raise ValueError(f"jobs must be an integer, at least 1, got {jobs!r}")
    for name, limit in (("seconds", seconds), ("megabytes", megabytes)):
        if not limit > 0:
            raise ValueError(f"{name} must be positive, or inf for no limit, got {limit!r}")
    _pickled(function, "the function")
    messages = [_pickled(task, f"task {number}") for number, task in enumerate(tasks)]
    if _FORKS:
        _CONTEXT.set_forkserver_preload(["__main__", __name__, *preload])
    return _outcomes(_WorkerPool(messages, function, seconds, megabytes, reuse), min(jobs, len(messages)))


def _pickled(value: Any, name: str) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception as error:  # an object may raise anything when it is pickled
        raise TypeError(
            f"{name}, {value!r}, cannot be sent to a process of its own ({error}); a function must be at the top "
            "level of a module"
        ) from error


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes started inside use one BLAS thread: several threads in each would fight for the same cores."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _outcomes(pool: _WorkerPool, jobs: int) -> Iterator[TaskOutcome]:
    threads = [threading.Thread(target=pool.work, daemon=True) for _ in range(jobs)]
    # multiprocessing would wait at the exit for processes that an iterator nobody has closed has left behind; they are
    # no daemons, for those may not start processes of their own, as solvers do
    atexit.register(pool.stop)
    try:
        for thread in threads:
            thread.start()
        for _ in range(pool.tasks):
            found = pool.next()
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        pool.stop()
        for thread in threads:
            thread.join()
        atexit.unregister(pool.stop)


class _WorkerPool:
    """What the threads share: tasks, outcomes, and the processes that are alive."""

    def __init__(
        self, messages: Sequence[bytes], function: Function, seconds: float, megabytes: float, reuse: bool
    ) -> None:
        self.tasks = len(messages)
        self._waiting: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
        for item in enumerate(messages):
            self._waiting.put(item)
        self._ready: queue.SimpleQueue[TaskOutcome | BaseException] = queue.SimpleQueue()
        self._function, self._seconds, self._megabytes, self._reuse = function, seconds, megabytes, reuse
        self._alive: set[Child] = set()
        self._stopped = False
        # multiprocessing looks after all children whenever it starts or joins one: two threads that learn of the same
        # death would leave one of them with a wrong exit code
        self._lock = threading.Lock()

    def next(self) -> TaskOutcome | BaseException:
        """The next outcome, or the exception that ended a thread."""
        while True:
            with suppress(queue.Empty):
                return self._ready.get(timeout=0.2)  # without a timeout Windows would not deliver Ctrl-C

    def stop(self) -> None:
        """Kill every process, and start no more."""
        with self._lock:
            self._stopped = True
            for child in self._alive:
                child.kill()

    def work(self) -> None:
        """Run tasks until none is left; the life of a thread."""
        child = None
        try:
            while not self._stopped:
                number, message = self._waiting.get_nowait()
                child = child or self._start()
                outcome = child.run(number, message, self._seconds, self._megabytes)
                if not self._reuse or outcome.status not in (TaskStatus.DONE, TaskStatus.RAISED):
                    self._end(child)
                    child = None
                self._ready.put(outcome)
        except queue.Empty:
            pass
        except BaseException as error:
            self._ready.put(error)
        finally:
            if child is not None:
                self._end(child)

    def _start(self) -> Child:
        for _ in range(2):  # twice: a server whose death is found out by a start is replaced by the next one
            child = self._begun()
            if child.ready():
                return child
            code = child.exit_code()
            self._end(child)
        raise RuntimeError(
            f"a process for the runs {exit_description(code)}: the calling script must start its work under "
            f'if __name__ == "__main__":, and be a file, from which others can import {self._function.__qualname__}'
        )

    def _begun(self) -> Child:
        ours, theirs = _CONTEXT.Pipe()
        process = _CONTEXT.Process(target=serve, args=(theirs, self._function, self._seconds, self._megabytes))
        with self._lock, one_thread_each():
            process.start()
            theirs.close()
            child = Child(process, ours, self._lock)
            self._alive.add(child)
            if self._stopped:
                child.kill()
        return child

    def _end(self, child: Child) -> None:
        child.end()
        with self._lock:
            self._alive.discard(child)
