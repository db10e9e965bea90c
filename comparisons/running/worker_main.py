"""The main function of a worker process: receive tasks, set limits, answer in bytes."""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import signal
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

Report = Callable[[bytes], None]
Function = Callable[[Any, Report], bytes]

# the first byte of a message; an answer continues with its seconds, and the result or a sentence
READY, REPORT, DONE, RAISED, MEMORY = (bytes([kind]) for kind in range(5))
SECONDS = struct.Struct("<d")

# RLIMIT_DATA of Linux counts every private writable page; elsewhere it counts a heap that malloc hardly uses
KEEPS_MEMORY = sys.platform == "linux"
_GRACE = 1.0  # seconds after the limit; then the alarm of this process stops it if the parent has not
_FAR = 1e8  # seconds, three years: about the latest time of an alarm


def serve(pipe: Connection, function: Function, seconds: float, megabytes: float) -> None:
    """Answer tasks until there are no more; the main function of a process."""
    _leave_the_terminal()
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # no more tasks; or a run has closed the pipe, which the parent notices too
        pipe.send_bytes(READY)
        while True:
            message = pipe.recv_bytes()
            pipe.send_bytes(_answer(message, function, lambda data: pipe.send_bytes(REPORT + data), seconds, megabytes))


def _leave_the_terminal() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name == "posix":
        import resource

        os.setsid()  # a group of its own, so that processes started by a run can be killed with it
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    if os.name == "posix":
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _answer(message: bytes, function: Function, report: Report, seconds: float, megabytes: float) -> bytes:
    began = time.perf_counter()
    try:
        with _limits(seconds, megabytes):
            result = function(pickle.loads(message), report)
        if not isinstance(result, bytes):
            raise TypeError(f"a function of a run must return bytes, got {type(result).__name__}")
        kind = DONE
    except MemoryError:
        kind, result = MEMORY, b""
    except BaseException as error:
        kind, result = RAISED, _sentence(error).encode(errors="backslashreplace")
    return kind + SECONDS.pack(time.perf_counter() - began) + result


@contextmanager
def _limits(seconds: float, megabytes: float) -> Iterator[None]:
    """The limit on memory, and an alarm in case that neither the parent nor a thread can stop this process."""
    if os.name != "posix":
        yield
        return
    import resource

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    if seconds < _FAR:
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE)
    if KEEPS_MEMORY and math.isfinite(megabytes):
        free, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (_held() + int(megabytes * 2**20), hard))
    try:
        yield  # the alarm stays set: it ends a parent's wait for the rest of an incomplete answer
    finally:
        if KEEPS_MEMORY and math.isfinite(megabytes):
            resource.setrlimit(resource.RLIMIT_DATA, (free, hard))


def _held() -> int:
    """Bytes of data of this process; proc_pid_statm(5), sixth field."""
    import resource

    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5]) * resource.getpagesize()


def _sentence(error: BaseException) -> str:
    text = "".join(traceback.format_exception_only(error)).strip()
    *_, place = traceback.extract_tb(error.__traceback__)
    return f"{text} ({Path(place.filename).name}, line {place.lineno})"
