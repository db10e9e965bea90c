"""One solve by GALAHAD in a process of its own, which requests every value from its parent; run as a script.

It imports GALAHAD and numpy only, so that it may run in another environment than newtonkit's. Messages have fixed
lengths, since both sides know n: a letter and a point are sent, and the answer consists of float64 numbers.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import numpy as np

VALUE, GRADIENT, HESSIAN, END = b"f", b"g", b"H", b"."


def main() -> None:
    """Solve, by ``SOLVER N GTOL MAXIT`` of the command line, from the point that arrives first."""
    solver, n, gtol, maxit = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    out, source = os.fdopen(os.dup(1), "wb"), os.fdopen(os.dup(0), "rb")
    # GALAHAD's Fortran prints to the same descriptor
    os.dup2(2, 1)
    entries = n * (n + 1) // 2

    def received(length: int) -> Any:
        data = source.read(8 * length)
        if len(data) < 8 * length:
            sys.exit(1)
        return np.frombuffer(data)

    def asked(kind: bytes, x: Any, length: int) -> Any:
        out.write(kind + np.ascontiguousarray(x, dtype=np.float64).tobytes())
        out.flush()
        return received(length).copy()

    package = importlib.import_module(f"galahad.{solver.lower()}")
    options = package.initialize()
    # norm −1: the Euclidean norm for the region; alive_unit 0: no file, which runs in one folder would share
    options.update(alive_unit=0, subproblem_direct=True, norm=-1, print_level=0, maxit=maxit)
    bounded = solver == "TRB"
    gradient = "pg" if bounded else "g"
    options.update({f"stop_{gradient}_absolute": gtol, f"stop_{gradient}_relative": 0.0})
    if bounded:  # TRB 5.5.3 fails on most problems with dense storage: measured, 13 of 32 solved, and all 32 like this
        package.load(n, "coordinate", entries, *np.tril_indices(n), None, options)
    else:
        package.load(n, "dense", entries, None, None, None, options)
    x0 = received(n).copy()
    bounds = [received(n).copy(), received(n).copy()] if bounded else []
    x, _ = package.solve(
        n,
        entries,
        *bounds,
        x0,
        lambda x: float(asked(VALUE, x, 1)[0]),
        lambda x: asked(GRADIENT, x, n),
        lambda x: asked(HESSIAN, x, entries),
    )
    information = package.information()
    numbers = np.array([float(information["status"]), float(information["iter"]), *x])
    out.write(END + numbers.tobytes())
    out.flush()


if __name__ == "__main__":
    main()
