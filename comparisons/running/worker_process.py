"""A worker process, seen from its parent: send a task, wait, kill."""

from __future__ import annotations

import enum
import math
import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from comparisons.running.worker_main import DONE, MEMORY, RAISED, READY, REPORT, SECONDS

_START = 120.0  # seconds for a process to import its modules; from a cold disk this takes tens of seconds
_END = 5.0  # seconds for the system to remove a killed process
_EXIT = 1.0  # seconds from the end of the pipe of a process to its exit
_DAY = 86400.0  # seconds of one wait; the system allows at most 24 days
_LARGEST = 2**28  # bytes of a message; a larger announced length means a corrupt message


class TaskStatus(enum.Enum):
    """How a task ended."""

    DONE = "returned"
    RAISED = "raised an exception"
    TIME = "exceeded the time limit"
    MEMORY = "exceeded the memory limit"
    DIED = "its process ended"


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """The outcome of one task."""

    number: int
    """The number of the task, from 0."""
    status: TaskStatus
    result: bytes | None = field(repr=False)
    """The return value of the function; None unless the status is DONE."""
    reports: tuple[bytes, ...] = field(repr=False)
    """The reports of the task, whatever its status."""
    seconds: float
    message: str
    """Why there is no result, as a sentence; empty if there is one."""


class Child:
    """A process and the pipe to it."""

    def __init__(self, process: BaseProcess, pipe: Connection, lock: threading.Lock) -> None:
        self._process, self._pipe, self._lock = process, pipe, lock

    def ready(self) -> bool:
        """Whether it has started and imported its modules."""
        wait([self._pipe, self._process.sentinel], _START)
        try:
            return self._pipe.poll() and self._pipe.recv_bytes() == READY
        except (EOFError, OSError):
            return False

    def run(self, number: int, message: bytes, seconds: float, megabytes: float) -> TaskOutcome:
        """Send a task and wait for the outcome until the time limit."""
        began = time.monotonic()
        reports: list[bytes] = []

        def outcome(status: TaskStatus, sentence: str, spent: float, result: bytes | None = None) -> TaskOutcome:
            return TaskOutcome(number, status, result, tuple(reports), spent, sentence)

        late = f"stopped after {seconds:g} s, its limit"
        try:
            self._pipe.send_bytes(message)
            while (left := began + seconds - time.monotonic()) > 0:
                ready = wait([self._pipe, self._process.sentinel], min(left, _DAY))
                if ready and self._pipe not in ready and not self._pipe.poll():
                    raise EOFError
                if self._pipe not in ready:
                    continue
                answer = self._pipe.recv_bytes(_LARGEST)
                kind, body = answer[:1], answer[1:]
                if kind == REPORT:
                    reports.append(body)
                    continue
                if kind not in (DONE, RAISED, MEMORY) or len(body) < SECONDS.size:
                    raise EOFError
                spent, result = SECONDS.unpack_from(body)[0], body[SECONDS.size :]
                if spent > seconds:
                    break
                if kind == DONE:
                    return outcome(TaskStatus.DONE, "", spent, result)
                if kind == MEMORY:
                    allowed = f"the {megabytes:g} MB it may allocate" if math.isfinite(megabytes) else "there is"
                    return outcome(TaskStatus.MEMORY, f"requested more memory than {allowed}", spent)
                return outcome(TaskStatus.RAISED, result.decode(errors="replace"), spent)
        except (EOFError, OSError):
            spent = time.monotonic() - began
            if spent < seconds:
                return outcome(TaskStatus.DIED, f"its process {exit_description(self.exit_code())}", spent)
        self.kill()
        return outcome(TaskStatus.TIME, late, time.monotonic() - began)

    def kill(self) -> None:
        """Kill it, and the processes that it has started."""
        if os.name == "posix" and self._process.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def end(self) -> None:
        """Kill it, and close the pipe."""
        self.kill()
        self.exit_code(_END)
        self._pipe.close()

    def exit_code(self, seconds: float = _EXIT) -> int | None:
        """Its exit code after at most so many seconds; negative: the signal that killed it; None: still alive."""
        wait([self._process.sentinel], seconds)
        with self._lock:
            self._process.join(0)
            return self._process.exitcode


def exit_description(code: int | None) -> str:
    """A description of how a process ended, from its exit code.

    Examples
    --------
    >>> exit_description(3)
    'ended by itself, with exit code 3'
    """
    if code is None:
        return "sent no more answers"
    if code >= 0:
        return f"ended by itself, with exit code {code}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-code).name} ({signal.strsignal(-code)})"
    return f"was killed by signal {-code}"
