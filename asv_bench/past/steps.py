"""The process of one commit, which runs the headline benchmark of the engine's steps for as long as each request says.

usage: python -m past.steps NETWORK

It speaks as `peers.worker` does: ``{"version": …}`` when it is ready, then the seconds of the quickest call.
"""

import sys
import time
from collections.abc import Iterable

from benchmarks.training import Step
from peers.library import answer, pin

from . import BATCH, NORM, THREADS


def quickest(step: Step, seconds: float) -> float:
    """Return the seconds of the quickest call within `seconds`, of at least one."""
    best, end = float("inf"), time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        step.time_steps()
        stop = time.perf_counter()
        best = min(best, stop - start)
        if stop >= end:
            return best


def serve(network: str, requests: Iterable[str]) -> None:
    """Answer `requests`."""
    pin(THREADS)
    step = Step()
    step.setup(network, NORM, BATCH, THREADS)
    answer({"version": ""})
    for request in requests:
        answer(quickest(step, float(request)))


if __name__ == "__main__":
    serve(sys.argv[1], sys.stdin)
