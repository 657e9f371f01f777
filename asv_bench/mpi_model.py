"""A model of the seconds of a step of a training by MPI, and what it predicts for more processes and for networks.

Each of R processes has v = max(1, 8 / R) shards and B / R rows of a mini-batch of B, of a network of P parameters:

    compute  = a + b · flop · B / R + c · P · v + d · P
    exchange = 3 · (R - 1) · latency + 2 · (R - 1) / R · 4 · P · (1 / bandwidth + e)

flop are the floating point operations of a row; a, b, c, d are fitted to trainings of one process with 1 to 8 shards,
while a second process does the same. An exchange has two rounds in which a process sends R - 1 messages, as in a ring,
and a small one with costs. Between processes of one machine, latency and seconds for each byte are fitted to exchanges
of 4 KB to 16 MB, through memory that they share. On a network, the latency and the bandwidth are those of `LINKS`, and
the sums and the copies in memory (e) are counted as they were measured on the one machine. All fits minimise relative
errors, with no coefficient below 0.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.optimize import nnls

from fastmlp.engine.workspace import aligned
from fastmlp.mpi import Processes
from fastmlp.mpi.exchange import exchange_of
from fastmlp.mpi.ranks import ranks_of
from fastmlp.mpi.shards import cuts

SHARDS = 8
SIZES = (1_024, 8_192, 65_536, 262_144, 1_048_576, 4_194_304)  # numbers of a gradient
LINKS = {"10 Gbit/s": (30e-6, 1.25e9), "100 Gbit/s": (5e-6, 12.5e9)}  # seconds of a message, bytes each second: assumed
RANKS = (2, 4, 8, 16, 32, 64)
PREDICTED = ((784, 128, 10), (784, 512, 512, 10), (784, 2048, 2048, 10))
BATCHES = (1000, 8000)


def name(widths: Sequence[int]) -> str:
    """Return a network's widths as text."""
    return "-".join(map(str, widths))


def is_first() -> bool:
    """Whether this process prints."""
    from mpi4py import MPI

    return bool(MPI.COMM_WORLD.rank == 0)


class _Gradient:
    """Numbers in the place of a `ShardTrainer`, for an exchange."""

    plan = SimpleNamespace(lanes=16)

    def __init__(self, n: int) -> None:
        self.places = n
        self.plan.n_gradient = n
        self.place(aligned(n, np.float32))

    def place(self, memory: np.ndarray) -> int:
        self.gradient = memory[: self.places]
        self.subtrees = [self.gradient]
        return self.places


def exchanges(comm: Any) -> list[list[float]]:
    """Return the numbers of a gradient and the median seconds of its exchange, with the costs, for some sizes."""
    found = []
    for n in SIZES:
        ranks = ranks_of(Processes(comm))
        trainer: Any = _Gradient(n)
        exchange, times = exchange_of(ranks, trainer, cuts(ranks.size, ranks.size)), list[float]()
        costs, told = np.zeros(5), np.zeros((ranks.size, 5))
        for _ in range(max(20, min(500, 200_000_000 // n // 100))):
            comm.Barrier()
            begun = time.perf_counter()
            exchange.join()
            comm.Allgather(costs, told)
            times.append(time.perf_counter() - begun)
        ranks.given_back.close()
        found.append([n, float(np.median(times))])
    return found


def parameters(widths: Sequence[int]) -> int:
    """Return how many numbers the gradient of a network has."""
    return sum((before + 1) * after for before, after in pairwise(widths))


def flop(widths: Sequence[int]) -> int:
    """Return the operations of a row in a step."""
    return 6 * sum(before * after for before, after in pairwise(widths))


def _features(widths: Sequence[int], rows: float, shards: int) -> list[float]:
    return [1.0, flop(widths) * rows, parameters(widths) * shards, parameters(widths)]


def _relative(features: Any, seconds: Any) -> np.ndarray:
    """Return coefficients of at least 0 with small relative errors."""
    features, seconds = np.array(features), np.array(seconds)
    scale = np.abs(features).max(axis=0)
    found, _ = nnls(features / scale / seconds[:, None], np.ones(len(seconds)))
    coefficients: np.ndarray = found / scale
    return coefficients


@dataclass(frozen=True)
class Model:
    """Coefficients of the model: a, b, c, d of the compute, latency and seconds of a byte of the exchange here."""

    compute: np.ndarray
    latency: float
    byte: float

    def computing(self, widths: Sequence[int], batch: int, size: int) -> float:
        """Return the seconds of one of `size` processes without those of the exchange."""
        return float(self.compute @ _features(widths, batch / size, max(1, SHARDS // size)))

    def exchanging(self, widths: Sequence[int], size: int, latency: float, byte: float) -> float:
        """Return the seconds of the exchange."""
        return 3 * (size - 1) * latency + 2 * (size - 1) / size * 4 * parameters(widths) * byte

    def here(self, widths: Sequence[int], batch: int, size: int) -> float:
        """Return the seconds of a step of processes on this machine."""
        return self.computing(widths, batch, size) + self.exchanging(widths, size, self.latency, self.byte)

    def checked(self, networks: Any, batches: Any, measured: Sequence[float]) -> list[str]:
        """Return the lines that compare the model with two processes."""
        a, b, c, d = self.compute
        speed = 1e-9 / b if b else np.inf
        compute = f"a = {1e6 * a:.1f} µs, b = 1 / {speed:.0f} GFLOP/s, c = {1e9 * c:.3f} ns, d = {1e9 * d:.3f} ns"
        lines = [
            f"The fit: {compute}; latency {1e6 * self.latency:.1f} µs, {1e-9 / self.byte:.2f} GB/s.",
            "",
            "| network | batch | 2 processes, measured | by the model | difference |",
            "| --- | ---: | ---: | ---: | ---: |",
        ]
        settings = [(widths, batch) for widths in networks for batch in batches]
        for (widths, batch), seconds in zip(settings, measured, strict=True):
            found = self.here(widths, batch, 2)
            lines.append(
                f"| {name(widths)} | {batch} | {1e6 * seconds:.0f} µs | {1e6 * found:.0f} µs "
                f"| {100 * (found / seconds - 1):+.0f} % |"
            )
        return lines

    def predicted(self) -> list[str]:
        """Return the lines that say how many times as fast as one process several are."""
        head = " | ".join(map(str, RANKS))
        lines = [f"| network | batch | link | {head} |", f"| --- | ---: | --- |{len(RANKS) * ' ---: |'}"]
        for widths in PREDICTED:
            for batch in BATCHES:
                alone = self.computing(widths, batch, 1)
                for link, (latency, bandwidth) in LINKS.items():
                    byte = 1 / bandwidth + self.byte
                    times = [
                        self.computing(widths, batch, size) + self.exchanging(widths, size, latency, byte)
                        for size in RANKS
                    ]
                    cells = " | ".join(f"{alone / seconds:.1f}" for seconds in times)
                    lines.append(f"| {name(widths)} | {batch} | {link} | {cells} |")
        return lines


def fitted(points: dict[str, Any]) -> Model:
    """Return the model of some points."""
    steps = [(_features(widths, rows, shards), seconds) for widths, rows, shards, seconds in points["steps"]]
    compute = _relative([features for features, _ in steps], [seconds for _, seconds in steps])
    sizes, seconds = zip(*points["exchanges"], strict=True)
    latency, byte = _relative([[3.0, 4.0 * n] for n in sizes], seconds)
    return Model(compute, float(latency), float(byte))
