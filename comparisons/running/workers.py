"""A pool of worker processes with limits: a hang, a crash or an excess of memory ends one run only.

Why not a library's pool, such as pebble 5.2 (measured): it has no reports of a running task and no limit on memory; it
unpickles what comes back; processes that a killed task has started survive; and a task that writes a part of a message
to the shared pipe blocks the results of all others.
"""

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

# A fork of a server that has imported everything takes 10 ms, a new interpreter 1 s. Forking is safe on Linux only: the
# system libraries of macOS may run threads, whose locks would stay locked in a child.
_FORKS = sys.platform == "linux"
_CONTEXT: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")


def no_memory_limit() -> str:
    """Why there is no limit on memory on this system, as a sentence; empty if there is one."""
    return "" if KEEPS_MEMORY else f"The limit on memory is ignored: {sys.platform} has no reliable one."


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
    """Call ``function(task, report)`` for every task, each in a process of its own; yield outcomes as they are ready.

    The parent enforces the limits: a run that exceeds its time is killed, with all processes that it has started.
    Closing the iterator, or Ctrl-C, kills every process at once; outcomes that were yielded are complete.

    Parameters
    ----------
    tasks : iterable
        Any objects that can be pickled.
    function : callable
        At the top level of a module. It returns bytes; it may pass intermediate results to ``report``, as bytes, which
        are kept if the run is stopped. Nothing that comes back is unpickled.
    jobs : int, at least 1, default 1
        Runs at a time.
    seconds : float, positive, default inf
        For each run.
    megabytes : float, positive, default inf
        Memory that each run may allocate in addition to that of its process at the start; see `no_memory_limit`.
    preload : sequence of str, optional
        Modules of the function: imported once instead of once for each process.
    reuse : bool, default False on Linux, True elsewhere
        Whether a process is used again after its run returned or raised. Saves a start, 10 ms on Linux and 1 s on other
        systems; but a run may then depend on earlier ones.

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
    Processes have one BLAS thread each and do not belong to the terminal: Ctrl-C reaches this process only. A thread
    for each job waits for its process, so that a slow caller does not delay the runs.
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
    except Exception as error:  # pickling an object may raise any exception
        raise TypeError(
            f"{name}, {value!r}, cannot be sent to a process of its own ({error}); a function must be at the top "
            "level of a module"
        ) from error


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes started inside use one BLAS thread, since several threads each would compete for the cores."""
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
    # at exit multiprocessing waits for processes of an iterator that was not closed; they are not daemons, since
    # daemons may not start processes of their own, as solvers do
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
    """The state that the threads share: tasks, outcomes, and the processes that are alive."""

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
        # multiprocessing polls all children whenever it starts or joins one: if two threads notice the same exit,
        # one of them gets a wrong exit code
        self._lock = threading.Lock()

    def next(self) -> TaskOutcome | BaseException:
        """The next outcome, or the exception that ended a thread."""
        while True:
            with suppress(queue.Empty):
                return self._ready.get(timeout=0.2)  # without a timeout Windows would not deliver Ctrl-C

    def stop(self) -> None:
        """Kill every process and start no more."""
        with self._lock:
            self._stopped = True
            for child in self._alive:
                child.kill()

    def work(self) -> None:
        """Run tasks until none is left; the function of a thread."""
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
        for _ in range(2):  # twice: if the fork server has died, the next start replaces it
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
