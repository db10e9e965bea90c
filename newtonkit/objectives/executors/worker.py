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
        if source == "jax":  # the main process has checked that it computes in float64
            import_package("jax").config.update("jax_enable_x64", True)
        self.size = len(weights)
        self.terms = Terms(pickle.loads(loss), weights, source, memory, self.recipes)

    def _answer(self, level: int, index: int) -> bytes:
        if self.failure:
            return _pickled_error(PartitionError(f"partition {index << level}: {self.failure}", index << level))
        assert self.terms is not None
        assert self.request is not None
        try:
            return pickle.dumps((self.terms.group(self.request, level, index, self.size), None), protocol=5)
        except PartitionError as error:
            return _pickled_error(error)


def _pickled_error(error: PartitionError) -> bytes:
    """The error with its cause; without it if the cause cannot be sent."""
    try:
        message = pickle.dumps((None, (error, error.__cause__)), protocol=5)
        pickle.loads(message)
        return message
    except Exception:
        return pickle.dumps((None, (error, None)), protocol=5)
