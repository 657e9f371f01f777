"""Softmax, and softmax with the cross-entropy and its gradient."""

from fastmlp import kernels

from ._data import BATCHES, THREADS, Array, labels, normal, use_threads


class Softmax:
    params = ([10, 1000], BATCHES, THREADS)
    param_names = ("classes", "batch", "threads")

    def setup(self, classes: int, batch: int, threads: int) -> None:
        use_threads(threads)
        self.z, self.y = normal(batch, classes), labels(batch, classes)
        self.proba, self.dz = normal(batch, classes), normal(batch, classes)
        self.time_softmax()
        self.time_cross_entropy()

    def time_softmax(self, *_: object) -> tuple[Array, ...]:
        kernels.softmax(self.z, self.proba)
        return (self.proba,)

    def time_cross_entropy(self, *_: object) -> tuple[Array, ...]:
        kernels.softmax_cross_entropy(self.z, self.y, self.proba, self.dz)
        return self.proba, self.dz
