"""Writers to a store, for its tests: each is a process of its own.

``python tests/comparisons/appending.py --kills 100`` kills a hundred of them.
"""

import argparse
import multiprocessing
import random
import resource
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from comparisons.core.serialization import key_of
from comparisons.running.store import Store
from comparisons.running.workers import run_all

PROCESSES = multiprocessing.get_context("forkserver")


def identity(writer, number):
    return {"problem": "rosenbrock", "start": f"seed {number}", "method": writer}


def arrays(number):
    return {"kind": np.array(["f", "Hv"] * number), "f": np.arange(2.0 * number)}


def append(path, writer, numbers, pipe=None):
    """Add these rows, and tell the pipe of each one that the store has acknowledged."""
    with Store(path) as store:
        for number in numbers:
            store.append(identity(writer, number), {"f": number}, arrays(number % 50))
            if pipe is not None:
                pipe.send_bytes(str(number).encode())


def compare(path, numbers):
    """A small comparison: the rows that are not yet in the store, each from a process of its own."""
    with Store(path) as store:
        done = store.keys()
        todo = [number for number in numbers if key_of(identity("squares", number)) not in done]
        for outcome in run_all(todo, square, jobs=2):
            number = todo[outcome.number]
            store.append(identity("squares", number), {"f": int(outcome.result)}, arrays(number))


def square(number, report):
    return str(number**2).encode()


def fill(path, report):
    """Add rows until the disk is full, which here is a limit on the size of files."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**18, 2**18))
    with Store(path) as store:
        for number in range(10_000):
            try:
                store.append(identity("fill", number), {"f": number}, arrays(50))
            except OSError as error:
                return str(error).encode()
            report(str(number).encode())
    return b"never full"


def killed(path, kills, seed):
    """Kill writers at random moments: the keys that were acknowledged, and the number of writers killed at work."""
    choose = random.Random(seed)
    acknowledged, at_work = set(), 0
    for kill in range(kills):
        ours, theirs = PROCESSES.Pipe()
        process = PROCESSES.Process(target=append, args=(path, f"writer {kill}", range(100_000), theirs))
        process.start()
        theirs.close()
        # most have begun; the others are killed while they start, or open the store
        numbers = [ours.recv_bytes()] if choose.random() < 0.8 else []
        time.sleep(choose.uniform(0, 0.05))
        process.kill()
        process.join()
        with suppress(EOFError):
            while True:
                numbers.append(ours.recv_bytes())
        ours.close()
        at_work += bool(numbers)
        acknowledged |= {key_of(identity(f"writer {kill}", int(number))) for number in numbers}
    return acknowledged, at_work


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    PROCESSES.set_forkserver_preload(["comparisons.running.store"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.sqlite"
        acknowledged, at_work = killed(path, given.kills, given.seed)
        with Store(path) as store:
            rows = {row.key: row for row in store.rows()}
            for row in rows.values():
                assert row.arrays.keys() == {"kind", "f"}
            lost = acknowledged - rows.keys()
            print(
                f"{given.kills} kills, {at_work} of them of a writer that had rows acknowledged: "
                f"{len(acknowledged)} rows acknowledged, {len(rows)} in the store, {len(lost)} lost"
            )
    raise SystemExit(bool(lost))


if __name__ == "__main__":
    main()
