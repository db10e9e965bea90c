"""One process seen from outside: it is given a task, watched, and killed."""

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

_START = 120.0  # seconds for a process to import what it needs; from a cold disk that takes some tens
_END = 5.0  # seconds for the system to clear away a killed process
_DEATH = 1.0  # seconds from the end of a process's pipe to its own
_DAY = 86400.0  # seconds of one wait; the system can count to 24 of them
_LARGEST = 2**28  # bytes of a message; one that announces more is garbled


class TaskStatus(enum.Enum):
    """How a run ended."""

    DONE = "returned"
    RAISED = "raised an exception"
    TIME = "ran into the limit on time"
    MEMORY = "ran into the limit on memory"
    DIED = "lost its process"


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What became of one task."""

    number: int
    """Of the task, from 0."""
    status: TaskStatus
    result: bytes | None = field(repr=False)
    """What the function returned; None unless the status is DONE."""
    reports: tuple[bytes, ...] = field(repr=False)
    """What it reported on its way, whatever its end."""
    seconds: float
    message: str
    """Why there is no result, as a sentence; empty where there is one."""


class Child:
    """A process and the pipe to it."""

    def __init__(self, process: BaseProcess, pipe: Connection, lock: threading.Lock) -> None:
        self._process, self._pipe, self._lock = process, pipe, lock

    def ready(self) -> bool:
        """Whether it has started and imported what it needs."""
        wait([self._pipe, self._process.sentinel], _START)
        try:
            return self._pipe.poll() and self._pipe.recv_bytes() == READY
        except (EOFError, OSError):
            return False

    def run(self, number: int, message: bytes, seconds: float, megabytes: float) -> TaskOutcome:
        """Give it a task and wait for the outcome, as long as the limit allows."""
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
                    return outcome(TaskStatus.MEMORY, f"asked for more memory than {allowed}", spent)
                return outcome(TaskStatus.RAISED, result.decode(errors="replace"), spent)
        except (EOFError, OSError):
            spent = time.monotonic() - began
            if spent < seconds:
                return outcome(TaskStatus.DIED, f"its process {exit_description(self.exit_code())}", spent)
        self.kill()
        return outcome(TaskStatus.TIME, late, time.monotonic() - began)

    def kill(self) -> None:
        """Kill it, and what it has started."""
        if os.name == "posix" and self._process.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def end(self) -> None:
        """Kill it, and give back what it holds here."""
        self.kill()
        self.exit_code(_END)
        self._pipe.close()

    def exit_code(self, seconds: float = _DEATH) -> int | None:
        """Once it is dead, which is waited for so long; negative: the signal that killed it."""
        wait([self._process.sentinel], seconds)
        with self._lock:
            self._process.join(0)
            return self._process.exitcode


def exit_description(code: int | None) -> str:
    """How a process ended, by its exit code.

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
