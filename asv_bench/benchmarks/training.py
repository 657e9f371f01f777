"""Whole epochs through the public door: shuffling, gathering, forward, backward, update."""

import numpy as np
from numpy.typing import NDArray

import fastmlp

from ._data import BATCHES, THREADS, labels, pixels, use_threads

SAMPLES = 48_000
NETWORKS = ["784-20-7-5-10", "784-128-10", "784-512-512-10"]


class Training:
    """A network and a data set; itself no benchmark."""

    timeout = 600.0

    def setup(self, network: str, batch: int, threads: int) -> None:
        use_threads(threads)
        widths = [int(width) for width in network.split("-")]
        self.X, self.y = pixels(SAMPLES, widths[0]), labels(SAMPLES, widths[-1])
        self.net = fastmlp.MLP(widths, input_scale=1 / 255)
        self.epoch(batch, threads, rows=batch)

    def epoch(self, batch: int, threads: int, rows: int) -> tuple[NDArray[np.float64], ...]:
        history = fastmlp.train(
            self.net,
            self.X[:rows],
            self.y[:rows],
            validation=None,
            optimizer=fastmlp.SGD(learning_rate=0.01),
            batch_size=batch,
            epochs=1,
            threads=threads,
            progress=False,
        )
        return (history.batch_costs,)


class Epoch(Training):
    params = (NETWORKS, BATCHES, THREADS)
    param_names = ("network", "batch", "threads")
    number = 1
    warmup_time = 0.0

    def time_epoch(self, network: str, batch: int, threads: int) -> tuple[NDArray[np.float64], ...]:
        return self.epoch(batch, threads, rows=SAMPLES)


class EpochMemory(Training):
    params = (NETWORKS, [1000], [2])
    param_names = ("network", "batch", "threads")

    def peakmem_epoch(self, network: str, batch: int, threads: int) -> tuple[NDArray[np.float64], ...]:
        return self.epoch(batch, threads, rows=SAMPLES)
