"""A worker process: receives a definition, parts and requests through a pipe, and sends sums of terms back."""

from __future__ import annotations

import pickle
import signal
from multiprocessing.connection import Connection
from typing import Any

from newtonkit.derivatives.foreign import import_package
from newtonkit.objectives.executors.terms import PartitionError, Request, Terms


def main(descriptor: int) -> None:
    """Serve requests until the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the main process, which closes the pipe
    connection = Connection(descriptor)
    worker = _Worker()
    while True:
        try:
            answer = worker.handle(connection.recv_bytes())
            if answer is not None:
                connection.send_bytes(answer)
        except (EOFError, OSError):
            return


class _Worker:
    def __init__(self) -> None:
        self.recipes: dict[int, Any] = {}
        self.terms: Terms | None = None
        self.request: Request | None = None
        self.size = 0
        self.failure = ""

    def handle(self, message: bytes) -> bytes | None:
        """Take a message; the answer if it is a task."""
        try:
            kind, *content = pickle.loads(message)
            if kind == "definition":
                self.failure = ""
                self._define(*content)
            elif kind == "forget":
                self.recipes.clear()
                self.failure = ""
            elif kind == "parts":
                self.recipes.update(content[0])
            elif kind == "request":
                self.request = Request(*content)
        except Exception as error:  # a module that cannot be imported here, for instance; reported with the next task
            self.failure = f"the worker process could not unpickle the loss or a part: {type(error).__name__}: {error}"
            return None
        return self._answer(*content) if kind == "task" else None

    def _define(self, loss: bytes, weights: Any, source: str, memory: float) -> None:
        self.size = len(weights)
        self.terms = make_terms(pickle.loads(loss), weights, source, memory, self.recipes)

    def _answer(self, level: int, index: int) -> bytes:
        if self.failure:
            return error_message(PartitionError(f"partition {index << level}: {self.failure}", index << level))
        assert self.terms is not None
        assert self.request is not None
        return group_message(self.terms, self.request, level, index, self.size)


def make_terms(loss: Any, weights: Any, source: str, memory: float, recipes: Any) -> Terms:
    """The terms that a worker evaluates."""
    if source == "jax":  # the main process has checked that it computes in float64
        import_package("jax").config.update("jax_enable_x64", True)
    return Terms(loss, weights, source, memory, recipes)


def group_message(terms: Terms, request: Request, level: int, index: int, size: int) -> bytes:
    """The pickled sum of a node of the tree and None; or None and the error of a partition."""
    try:
        return pickle.dumps((terms.group(request, level, index, size), None), protocol=5)
    except PartitionError as error:
        return error_message(error)


def error_message(error: PartitionError) -> bytes:
    """The error with its cause; without it if the cause cannot be sent."""
    try:
        message = pickle.dumps((None, (error, error.__cause__)), protocol=5)
        pickle.loads(message)
        return message
    except Exception:
        return pickle.dumps((None, (error, None)), protocol=5)
