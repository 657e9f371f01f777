"""Time the training of many networks: by `train_many`, one after the other, and by joblib's processes, in turns.

    python asv_bench/many.py                          # two tasks, five rounds: some minutes
    python asv_bench/many.py --tasks small --rounds 9
    python asv_bench/many.py --rows 500 --epochs 1 --rounds 1

The tasks are 20 networks 20-64-32-2 on 10,000 rows, and 8 networks 784-128-10 on MNIST, each by Adam with mini-batches
of 200 rows. Before the first round every way trains once, so that kernels are compiled and joblib's processes are
there. A figure is the median over the rounds of the seconds for all networks. It needs a quiet machine.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from options import machine, positive

import fastmlp
from fastmlp.system.cores import usable_cores

TASKS = {"small": (20, [20, 64, 32, 2]), "mnist": (8, [784, 128, 10])}
SETTINGS: dict[str, Any] = {
    "optimizer": fastmlp.Adam(0.002), "validation": None, "batch_size": 200, "progress": False,
}  # fmt: skip


def data(name: str, rows: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return samples and classes."""
    if name == "mnist":
        X, y, _, _ = fastmlp.datasets.mnist()
        return X[:rows], y[:rows]
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows or 10_000, TASKS[name][1][0])).astype(np.float32)
    return X, (X[:, 0] * X[:, 1] > 0).astype(np.int64)


def nets(name: str) -> list[fastmlp.MLP]:
    """Return new networks."""
    count, widths = TASKS[name]
    scale = 1 / 255 if name == "mnist" else 1.0
    return [fastmlp.MLP(widths, input_scale=scale, seed=seed) for seed in range(count)]


def alone(net: fastmlp.MLP, X: np.ndarray, y: np.ndarray, epochs: int, threads: int) -> fastmlp.MLP:
    """Train one network."""
    fastmlp.train(net, X, y, epochs=epochs, threads=threads, **SETTINGS)
    return net


def ways(X: np.ndarray, y: np.ndarray, epochs: int) -> dict[str, Callable[[list[fastmlp.MLP]], Any]]:
    """Return the ways to train some networks, by name."""
    cores = usable_cores()
    many = {name: value for name, value in SETTINGS.items() if name != "optimizer"}
    return {
        "train_many": lambda some: fastmlp.train_many(
            some, X, y, optimizers=SETTINGS["optimizer"], epochs=epochs, **many
        ),
        "one after the other, one thread": lambda some: [alone(net, X, y, epochs, 1) for net in some],
        f"one after the other, {cores} threads": lambda some: [alone(net, X, y, epochs, cores) for net in some],
        f"joblib, {cores} processes": lambda some: Parallel(n_jobs=cores)(
            delayed(alone)(net, X, y, epochs, 1) for net in some
        ),
    }


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--rows", type=positive, metavar="N", help="to train on; default: all")
    parser.add_argument("--epochs", type=positive, default=5, metavar="N")
    parser.add_argument("--rounds", type=positive, default=5, metavar="N")
    return parser.parse_args(arguments)


def measure(name: str, args: argparse.Namespace) -> dict[str, float]:
    """Return the median seconds of every way."""
    X, y = data(name, args.rows)
    found: dict[str, list[float]] = {}
    for number in range(args.rounds + 1):
        for way, run in ways(X, y, args.epochs).items():
            sys.stderr.write(f"{name}, round {number} of {args.rounds}: {way}\n")
            some, started = nets(name), time.perf_counter()
            run(some)
            if number > 0:
                found.setdefault(way, []).append(time.perf_counter() - started)
    return {way: statistics.median(times) for way, times in found.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a table for each task."""
    args = parse(arguments)
    for name in args.tasks:
        count, widths = TASKS[name]
        found = measure(name, args)
        first = next(iter(found.values()))
        title = f"{count} networks {'-'.join(map(str, widths))}, {args.epochs} epochs, medians of {args.rounds} rounds"
        lines = [f"**{title}**", "", "| way | seconds | ÷ train_many |", "| --- | ---: | ---: |"]
        lines += [f"| {way} | {seconds:.3f} | {seconds / first:.2f} |" for way, seconds in found.items()]
        sys.stdout.write("\n".join([*lines, "", ""]))
    sys.stdout.write("\n".join(f"- {line}" for line in machine(2)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
