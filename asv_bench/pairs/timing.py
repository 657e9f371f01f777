"""Times of two builds in pairs: one calls a benchmark for some milliseconds, then at once the other."""

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

CHUNK = 2e-3  # seconds of one side of a pair, at least
SECONDS = 0.06  # of all pairs of a benchmark in a round
LEAST_PAIRS = 3


@dataclass(frozen=True)
class Sample:
    """What one pair of processes found for one benchmark.

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

    A benchmark of one thread is held to one core, the same for both, another one each round, and its CPU time is
    taken: what else runs on that core does not count. All others run free and are timed by the wall clock, as are all
    where the system holds no process to a core.

    `calls` names the benchmarks and holds the calls of one side of a pair, None until the first round has found them.
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
    """Return how many calls take either side at least `CHUNK`."""
    calls = 1
    while True:
        seconds = min(worker.ask({"calls": calls, "untimed": 1})["wall"] for worker in (base, head))
        if seconds >= CHUNK:
            return calls
        calls = max(calls + 1, math.ceil(calls * min(10.0, 1.1 * CHUNK / seconds)))
