"""The useful GFLOP/s of the engine's steps, and their share of the machine's FMA peak."""

import itertools
import time

import numpy as np

from . import training
from ._data import BATCHES, NETWORKS, THREADS, use_threads, widths_of
from ._machine import fma_peak
from ._pages import shown_as

STEPS = 40
REPEATS = 7


def flop_of_a_sample(widths: list[int]) -> int:
    """Return the operations of training on one sample: three products for each layer, two for the first layer."""
    products = [2 * n_in * n_out for n_in, n_out in itertools.pairwise(widths)]
    return 3 * sum(products) - products[0]


class Throughput:
    params = (NETWORKS, BATCHES, THREADS)
    param_names = ("network", "batch (rows)", "threads")
    timeout = 600.0

    def setup(self, network: str, batch: int, threads: int) -> None:
        use_threads(threads)
        self.trainer = training.make_trainer(network, "none", batch, threads)
        self.order = np.random.default_rng(0).permutation(training.SAMPLES)[: STEPS * batch]
        self.trainer.run_epoch(self.order)

    @shown_as("Training: useful GFLOP/s (more is better)", unit="GFLOP/s")
    def track_gflops(self, network: str, batch: int, threads: int) -> float:
        seconds = np.inf
        for _ in range(REPEATS):
            start = time.perf_counter()
            self.trainer.run_epoch(self.order)
            seconds = min(seconds, time.perf_counter() - start)
        return float(len(self.order) * flop_of_a_sample(widths_of(network)) / seconds / 1e9)

    @shown_as("Training: share of FMA peak (more is better)", unit="of the FMA peak")
    def track_share_of_peak(self, network: str, batch: int, threads: int) -> float:
        # the peak before and after: a machine that slows down in between must not flatter
        before = fma_peak(threads, REPEATS)
        achieved = self.track_gflops(network, batch, threads)
        return achieved / max(before, fma_peak(threads, REPEATS))
