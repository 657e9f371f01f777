"""What two builds take, in pairs: one build calls a benchmark for some milliseconds, and then at once the other."""

import math
import os
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import GateError
from .measures import Measure
from .process import Build, Worker, set_up
from .selection import Case

CHUNK = 2e-3  # least seconds of one side of a pair
# seconds that the pairs of a benchmark take in a round, by the clock that times them: on a busy machine there are as
# many pairs as on a quiet one. A process has a single peak of memory, and so one pair.
SECONDS = {Measure.CPU: 0.12, Measure.WALL: 0.4, Measure.CHILDREN: 4.0, Measure.PEAK: 0.0}
LONGEST = 4.0  # seconds by the wall clock
LEAST_PAIRS = 3  # of what a process can measure again and again; of what takes a new process, 1
UNDISTURBED = 0.2  # so large a part of the calls of several threads finds all their cores free, even on a busy machine


@dataclass(frozen=True)
class Sample:
    """What one pair of processes took for one benchmark.

    Attributes
    ----------
    log_ratio : float
        ``log(head / base)``.
    base, head : float
        Seconds of a call or bytes, medians over the pairs.
    """

    log_ratio: float
    base: float
    head: float


def one_round(
    builds: tuple[Build, Build], folder: Path, calls: dict[Case, int | None], number: int, rng: random.Random
) -> dict[Case, Sample]:
    """Measure every benchmark once more, in new processes and in random order.

    A benchmark of one thread runs on one core, which is the same for both processes and another one in other rounds. It
    is timed by CPU time, so that other programs on the core do not count. If the system cannot hold a process to a
    core, the wall clock times these benchmarks. The rounds take turns with the compilations of the builds.

    `calls` has the benchmarks as keys. Its values are the numbers of calls of one side of a pair, or None until the
    first round has found the number.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    here = [cores[number // len(builds) % len(cores)]] if cores else []
    both = builds[0].compilation(number), builds[1].compilation(number)
    samples = {}
    with Worker(both[0], folder, rng) as base, Worker(both[1], folder, rng) as head:
        for case in rng.sample(list(calls), len(calls)):
            if case.measure is Measure.PEAK:
                with Worker(both[0], folder, rng) as new_base, Worker(both[1], folder, rng) as new_head:
                    samples[case] = _measured(new_base, new_head, case, cores, calls, rng)
            else:
                samples[case] = _measured(base, head, case, here if case.measure is Measure.CPU else cores, calls, rng)
    return samples


def _measured(
    base: Worker, head: Worker, case: Case, cores: Sequence[int], calls: dict[Case, int | None], rng: random.Random
) -> Sample:
    answers = set_up(base, head, case, cores)
    if any(answers):
        raise GateError(f"{case} ran before and now does not: {answers}")
    measure, found, least = case.measure, 1, 1
    if measure.repeated:
        measure = measure if cores else Measure.WALL
        found, least = calls[case] or _calls(base, head), LEAST_PAIRS
        calls[case] = found
    end = time.perf_counter() + LONGEST
    pairs: list[tuple[float, float]] = []
    taken = 0.0
    while len(pairs) < least or (taken < SECONDS[measure] and time.perf_counter() < end):
        pairs.append(_pair(base, head, measure, found, rng))
        taken += found * sum(pairs[-1])
    return _quickest(pairs) if measure is Measure.WALL else _sample(pairs)


def _pair(base: Worker, head: Worker, measure: Measure, calls: int, rng: random.Random) -> tuple[float, float]:
    figures = {}
    for worker in rng.sample((base, head), 2):
        figures[worker] = worker.ask({"calls": calls, "untimed": int(calls > 1)})[measure.value]
        if measure is not Measure.PEAK:
            figures[worker] /= calls
    return figures[base], figures[head]


def _sample(pairs: Sequence[tuple[float, float]]) -> Sample:
    """Return the median of the ratios."""
    logs = [math.log(head / base) for base, head in pairs]
    return Sample(
        statistics.median(logs), statistics.median(b for b, _ in pairs), statistics.median(h for _, h in pairs)
    )


def _quickest(pairs: Sequence[tuple[float, float]]) -> Sample:
    """Return the ratio of what the undisturbed calls take: other programs can only lengthen a call."""
    base, head = (sorted(side)[int(UNDISTURBED * len(pairs))] for side in zip(*pairs, strict=True))
    return Sample(math.log(head / base), base, head)


def _calls(base: Worker, head: Worker) -> int:
    """Return the number of calls that take at least `CHUNK` seconds on either side."""
    calls = 1
    while True:
        seconds = min(worker.ask({"calls": calls, "untimed": 1})["wall"] for worker in (base, head))
        if seconds >= CHUNK:
            return calls
        calls = max(calls + 1, math.ceil(calls * min(10.0, 1.1 * CHUNK / seconds)))
