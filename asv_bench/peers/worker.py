"""The process of one library. After a warm-up it trains for as long as each line on standard input says.

usage: python -m peers.worker LIBRARY TASK (the fields of the task as JSON)

It answers in lines of JSON. The first is ``{"version": …}`` when it is ready, or ``{"missing": …}`` if the library is
not installed. Each request is a number of seconds, and the answer is the seconds of the quickest epoch.
"""

import math
import sys
import time
from collections.abc import Iterable

from .library import answer, prepare, read_fields
from .task import Task, Training


def best_epoch(task: Task, training: Training, seconds: float, first_seed: int) -> tuple[float, int]:
    """Train for about `seconds`, at least one epoch; return the time of the quickest epoch and the next seed."""
    best, seed, end = math.inf, first_seed, time.perf_counter() + seconds
    while True:
        rates = task.rates(seed)
        start = time.perf_counter()
        training.epoch(seed, rates)
        stop = time.perf_counter()
        best, seed = min(best, stop - start), seed + 1
        if stop >= end:
            return best, seed


def serve(name: str, task: Task, requests: Iterable[str]) -> None:
    """Answer `requests`."""
    training = prepare(name, task)
    if training is not None:
        time_epochs(task, training, requests)


def time_epochs(task: Task, training: Training, requests: Iterable[str]) -> None:
    """Answer each request with the seconds of the quickest epoch."""
    seed = 1
    for request in requests:
        best, seed = best_epoch(task, training, float(request), seed)
        answer(best)


if __name__ == "__main__":
    name, text = sys.argv[1:]
    serve(name, Task(**read_fields(text)), sys.stdin)
