"""Time a step of Adam beside a step of plain SGD, and beside the time in which memory moves Adam's bytes.

    python asv_bench/adam.py              # 784-20-7-5-10, 784-128-10, 784-512-512-10; batches of 32, 128 and 1000
    python asv_bench/adam.py --threads 1

Both rules train on the same 48,000 rows of bytes. In every round they take turns. Times are medians over the rounds,
the ratio is the median of the ratios of the rounds. A step of Adam reads and writes every parameter and its two
averages once, whatever the size of the mini-batch. To measure the time of these accesses, the same number of threads
reads and writes three arrays of that size repeatedly, from the cache in which they fit. The last column is the share of
this time in a step of Adam. The command needs a quiet machine.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from benchmarks._data import make_network
from benchmarks._machine import seconds_of_team
from benchmarks.training import SAMPLES, make_trainer
from compare import BATCHES, NETWORKS
from options import counted, machine, network, positive

from fastmlp.system.cores import usable_cores

ROUND_FLOP = 2e9  # largest number of operations of one rule in a round: about 20 ms
SWEEP_BYTES = 1e9  # bytes of one measurement of the bound: so many that the start of the threads does not matter


@numba.njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _sweep(arrays: Any, first: int, last: int, times: int) -> None:
    """Read and write a part of every array, `times` times."""
    for _ in range(times):
        for i in range(first, last):
            arrays[0, i] += np.float32(1)
            arrays[1, i] += np.float32(1)
            arrays[2, i] += np.float32(1)


def bound(parameters: int, threads: int, repeats: int) -> float:
    """Return the seconds in which threads read and write three float32 arrays of that size: the best of `repeats`."""
    arrays, times = np.zeros((3, parameters), np.float32), max(1, int(SWEEP_BYTES / (24 * parameters)))
    ends = np.linspace(0, parameters, threads + 1).astype(int)
    _sweep(arrays, 0, 1, 1)

    def part(thread: int) -> None:
        _sweep(arrays, ends[thread], ends[thread + 1], times)

    return min(seconds_of_team(threads, part) for _ in range(repeats)) / times


def steps(name: str, batch: int, threads: int, rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of a step of SGD and of Adam in every round."""
    trainers = [make_trainer(name, "none", batch, threads, rule) for rule in ("plain", "adam")]
    count = max(1, min(SAMPLES // batch, int(ROUND_FLOP / (batch * trainers[0].plan.flop_of_row))))
    order = np.random.default_rng(0).permutation(SAMPLES)[: count * batch]
    found: tuple[list[float], list[float]] = ([], [])
    for i in range(rounds + 1):
        for trainer, seconds in zip(trainers, found, strict=True):
            start = time.perf_counter()
            trainer.run_epoch(order)
            if i > 0:  # the first round compiles and warms up
                seconds.append((time.perf_counter() - start) / count)
    return found


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", nargs="+", default=NETWORKS, type=network, metavar="WIDTHS")
    parser.add_argument("--batches", nargs="+", default=BATCHES, type=positive, metavar="N")
    parser.add_argument("--threads", default=usable_cores(), type=positive, metavar="N")
    parser.add_argument("--rounds", default=15, type=positive, metavar="N")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print a table."""
    args = parse(arguments)
    lines = [
        f"**A step of Adam beside plain SGD's, {counted(args.threads, 'thread')}, float32**",
        "",
        "| network | batch | SGD, µs | Adam, µs | Adam ÷ SGD | bytes of Adam, µs | of its step |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in args.nets:
        least = bound(make_network(name, "none").n_parameters, args.threads, repeats=5) * 1e6
        for batch in args.batches:
            sgd, adam = steps(name, batch, args.threads, args.rounds)
            ratio = statistics.median(a / b for a, b in zip(adam, sgd, strict=True))
            ours, theirs = statistics.median(adam) * 1e6, statistics.median(sgd) * 1e6
            figures = f"{theirs:,.1f} | {ours:,.1f} | {ratio:.2f} | {least:.1f} | {least / ours:.0%}"
            lines.append(f"| {name} | {batch} | {figures} |")
    sys.stdout.write("\n".join([*lines, "", *[f"- {line}" for line in machine(args.threads)]]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
