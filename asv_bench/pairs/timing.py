"""Times of two builds in pairs: one build calls a benchmark for some milliseconds, and then at once the other build."""

import math
import os
import random
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from .errors import GateError
from .process import Build, Worker, set_up
from .selection import Case

CHUNK = 2e-3  # least seconds of one side of a pair
SECONDS = 0.06  # seconds of all pairs of a benchmark in a round
LEAST_PAIRS = 3


@dataclass(frozen=True)
class Sample:
    """The times of one benchmark from one pair of processes.

    Attributes
    ----------
    log_ratio : float
        The median over the pairs of ``log(time of the head / time of the base)``.
    base, head : float
        Median seconds of a call.
    """

    log_ratio: float
    base: float
    head: float


def round_of_pairs(
    builds: tuple[Build, Build], folder: Path, calls: dict[Case, int | None], number: int, rng: random.Random
) -> dict[Case, Sample]:
    """Time every benchmark in one new pair of processes, in random order.

    A benchmark of one thread runs on one core, which is the same for both processes and another one in each round. It
    is timed by CPU time, so that other programs on the core do not count. All other benchmarks run on any core and are
    timed by the wall clock. If the system cannot hold a process to a core, all benchmarks are timed in this way.

    `calls` has the benchmarks as keys. Its values are the numbers of calls of one side of a pair, or None until the
    first round has found the number.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    samples = {}
    with Worker(builds[0], folder, rng) as base, Worker(builds[1], folder, rng) as head:
        for case in rng.sample(list(calls), len(calls)):
            held = bool(cores) and case.one_thread
            where = [cores[number % len(cores)]] if held else cores
            answers = set_up(base, head, case, where)
            if any(answers):
                raise GateError(f"{case} ran before and now does not: {answers}")
            found = calls[case] = calls[case] or _calls(base, head)
            samples[case] = _pairs(base, head, found, "cpu" if held else "wall", rng)
    return samples


def _pairs(base: Worker, head: Worker, calls: int, clock: str, rng: random.Random) -> Sample:
    end = time.perf_counter() + SECONDS
    times: list[tuple[float, float]] = []
    while len(times) < LEAST_PAIRS or time.perf_counter() < end:
        pair = {}
        for worker in rng.sample((base, head), 2):
            pair[worker] = worker.ask({"calls": calls, "untimed": int(calls > 1)})[clock] / calls
        times.append((pair[base], pair[head]))
    logs = [math.log(h / b) for b, h in times]
    return Sample(
        statistics.median(logs), statistics.median(b for b, _ in times), statistics.median(h for _, h in times)
    )


def _calls(base: Worker, head: Worker) -> int:
    """Return the number of calls that take at least `CHUNK` seconds on either side."""
    calls = 1
    while True:
        seconds = min(worker.ask({"calls": calls, "untimed": 1})["wall"] for worker in (base, head))
        if seconds >= CHUNK:
            return calls
        calls = max(calls + 1, math.ceil(calls * min(10.0, 1.1 * CHUNK / seconds)))
