"""The process of one library: sets up, warms up, then trains for as long as each line on standard input says.

usage: python -m peers.worker LIBRARY WIDTHS BATCH THREADS SAMPLES

It answers in lines of JSON: ``{"version": …}`` when it is ready (or ``{"missing": …}`` where the library is not
installed), then the seconds of the quickest epoch for each line, which holds a number of seconds.
"""

import importlib
import json
import math
import os
import sys
import time
from collections.abc import Iterable
from importlib import metadata

from . import LIBRARIES
from .task import Task, Training


def best_epoch(training: Training, seconds: float, first_seed: int) -> tuple[float, int]:
    """Train for about `seconds`, at least one epoch; return the time of the quickest and the next seed."""
    best, seed, end = math.inf, first_seed, time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        training.epoch(seed)
        stop = time.perf_counter()
        best, seed = min(best, stop - start), seed + 1
        if stop >= end:
            return best, seed


def serve(name: str, task: Task, requests: Iterable[str]) -> None:
    """Answer `requests`."""
    library = LIBRARIES[name]
    pin(task.threads)
    try:
        module = importlib.import_module(f"{__package__}.{library.module}")
    except ModuleNotFoundError as error:
        answer({"missing": str(error)})
        return
    training: Training = module.make(task)
    training.epoch(0)
    answer({"version": metadata.version(library.distribution)})
    seed = 1
    for request in requests:
        best, seed = best_epoch(training, float(request), seed)
        answer(best)


def pin(threads: int) -> None:
    """Hold the process to as many cores as it may have threads, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def answer(value: object) -> None:
    """Send one line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    name, widths, *counts = sys.argv[1:]
    serve(name, Task(tuple(map(int, widths.split("-"))), *map(int, counts)), sys.stdin)
