"""Runs that behave badly, for the tests of what runs them: every function is the ``function`` of `run_all`."""

import ctypes
import gc
import multiprocessing
import os
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np


def double(task, report):
    return str(2 * task).encode()


def minimize(name, report):
    import newtonkit  # here: the other runs start sooner without
    import problems

    problem = problems.get(name)
    result = newtonkit.minimize(problem.fun, problem.starts["standard"], method="newton")
    return result.x.tobytes()


def behave(task, report):
    """Call the function named by the task."""
    name, *arguments = task if isinstance(task, tuple) else (task,)
    return globals()[name](*arguments)


def well():
    return b"well"


def process():
    return str(os.getpid()).encode()


def environment():
    return os.environ["OMP_NUM_THREADS"].encode()


def start_processes():
    """As solvers do that evaluate several points at a time."""
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return str(sum(pool.map(abs, [-1, 2, -3]))).encode()


def hang():
    time.sleep(600)


def hang_with_the_lock():
    # PyDLL keeps the interpreter's lock: no thread and no signal handler of this process runs any more
    ctypes.PyDLL(None).sleep(600)


def hang_deaf():
    import signal

    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    time.sleep(600)


def segfault():
    ctypes.string_at(0)


def abort():
    os.abort()


def vanish(code):
    os._exit(code)


def leave():
    sys.exit("I have had enough")


def fail():
    raise ZeroDivisionError("of my own")


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError


def fail_unprintably():
    raise UnprintableError


def nan():
    return np.array([np.nan]).tobytes()


def return_a_list():
    return [1, 2]


def large_result():
    return bytes(30 * 2**20)


def flood():
    return np.ones(2**27).tobytes()  # 1 GB


def flood_slowly():
    hoard = []
    while True:
        hoard.append(bytearray(2**20))


def close_everything():
    os.closerange(3, 200)


def write(data):
    """To the pipe on which answers are sent."""
    for thing in gc.get_objects():
        if isinstance(thing, Connection):
            os.write(thing.fileno(), data)
    return b"well"


def report_then_hang(task, report):
    for k in range(task):
        report(str(k).encode())
    time.sleep(600)


def report_then_crash(task, report):
    for k in range(task):
        report(str(k).encode())
    ctypes.string_at(0)


def report_much(task, report):
    for _ in range(task):
        report(bytes(2**20))
    return b"well"


def report_endlessly(task, report):
    while True:
        report(b"and on")


def start_another_and_hang(path, report):
    """A process of the run's own, which must not outlive it: it writes its number where the test can read it."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(path).write_text(str(child.pid), encoding="ascii")
    time.sleep(600)


def write_number_and_hang(path, report):
    Path(path).write_text(str(os.getpid()), encoding="ascii")
    time.sleep(600)
