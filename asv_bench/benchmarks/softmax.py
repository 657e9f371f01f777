"""Softmax, and softmax with the cross-entropy and its gradient."""

from fastmlp import kernels

from ._data import BATCHES, THREADS, Array, labels, normal
from ._scenarios import ByWidth, Kernels, OddSizes


class _Softmax(Kernels):
    def allocate(self, batch: int, n_in: int, n_out: int, dtype: str) -> None:
        self.z, self.y = normal(batch, n_out, dtype=dtype), labels(batch, n_out)
        self.proba, self.dz = normal(batch, n_out, dtype=dtype), normal(batch, n_out, dtype=dtype)

    def time_softmax(self, *_: object) -> tuple[Array, ...]:
        kernels.softmax(self.z, self.proba)
        return (self.proba,)

    def time_cross_entropy(self, *_: object) -> tuple[Array, ...]:
        kernels.softmax_cross_entropy(self.z, self.y, self.proba, self.dz)
        return self.proba, self.dz


class Softmax(_Softmax):
    params = ([10, 1000], BATCHES, THREADS)
    param_names = ("classes", "batch (rows)", "threads")

    def setup(self, classes: int, batch: int, threads: int) -> None:
        self.prepare(threads, batch, classes, classes)


class SoftmaxByWidth(_Softmax, ByWidth):
    pass


class SoftmaxOddSizes(_Softmax, OddSizes):
    pass
