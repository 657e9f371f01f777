"""The gather of a mini-batch: random rows of a data set that fits in no cache, converted to float and scaled."""

import numpy as np

from fastmlp import kernels

from ._data import BATCHES, THREADS, Array, normal, pixels
from ._scenarios import ByWidth, Kernels, OddSizes

SAMPLES = 60_000


class _Gather(Kernels):
    def allocate(self, batch: int, n_in: int, n_out: int, dtype: str) -> None:
        self.data = pixels(SAMPLES, n_in)
        # the whole permutation, a batch at a time: the rows of one batch alone would stay in the cache
        self.batches = np.random.default_rng(0).permutation(SAMPLES)[: SAMPLES // batch * batch].reshape(-1, batch)
        self.out = normal(batch, n_in, dtype=dtype)
        self.next = 0

    def time_gather(self, *_: object) -> tuple[Array, ...]:
        index = self.batches[self.next % len(self.batches)]
        self.next += 1
        kernels.gather(self.data, index, 1 / 255, self.out)
        return (self.out,)


class Gather(_Gather):
    params = (BATCHES, THREADS)
    param_names = ("batch (rows)", "threads")

    def setup(self, batch: int, threads: int) -> None:
        self.prepare(threads, batch, 784, 784)


class GatherByWidth(_Gather, ByWidth):
    """At a width of 16 the data set takes 1 MB, so it fits in a second-level cache."""


class GatherOddSizes(_Gather, OddSizes):
    pass
