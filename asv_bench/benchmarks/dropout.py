"""Dropout: random words and the multiplication by a mask."""

from fastmlp import kernels

from ._data import BATCHES, THREADS, Array, normal
from ._scenarios import ByWidth, Kernels, OddSizes

KEY, STEP, LAYER = 12345, 6, 1
THRESHOLD = 1 << 31  # half of 2**32: half of the elements are dropped


class _Dropout(Kernels):
    def allocate(self, batch: int, n_in: int, n_out: int, dtype: str) -> None:
        self.x, self.out = normal(batch, n_out, dtype=dtype), normal(batch, n_out, dtype=dtype)

    def time_dropout(self, *_: object) -> tuple[Array, ...]:
        kernels.dropout(self.x, KEY, STEP, LAYER, THRESHOLD, self.out)
        return (self.out,)


class Dropout(_Dropout):
    params = ([20, 512], BATCHES, THREADS)
    param_names = ("features", "batch (rows)", "threads")

    def setup(self, features: int, batch: int, threads: int) -> None:
        self.prepare(threads, batch, features, features)


class DropoutByWidth(_Dropout, ByWidth):
    pass


class DropoutOddSizes(_Dropout, OddSizes):
    pass
