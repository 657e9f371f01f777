"""The mini-batch: random rows of a data set that fits in no cache, converted to float and scaled."""

import numpy as np

from fastmlp import kernels

from ._data import BATCHES, THREADS, Array, normal, pixels, use_threads

SAMPLES = 60_000


class Gather:
    params = (BATCHES, THREADS)
    param_names = ("batch", "threads")

    def setup(self, batch: int, threads: int) -> None:
        use_threads(threads)
        self.data = pixels(SAMPLES, 784)
        # the whole permutation, a batch at a time: the rows of one batch alone would stay in the cache
        self.batches = np.random.default_rng(0).permutation(SAMPLES)[: SAMPLES // batch * batch].reshape(-1, batch)
        self.out = normal(batch, 784)
        self.next = 0
        self.time_gather()

    def time_gather(self, *_: object) -> tuple[Array, ...]:
        index = self.batches[self.next % len(self.batches)]
        self.next += 1
        kernels.gather(self.data, index, 1 / 255, self.out)
        return (self.out,)
