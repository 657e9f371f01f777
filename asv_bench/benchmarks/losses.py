"""Losses and their gradients, for targets that are class indices, flags, numbers and counts."""

import numpy as np

from fastmlp import kernels

from ._data import THREADS, Array, labels, normal
from ._scenarios import ByWidth, Kernels, OddSizes

SAMPLES = 1000
# each loss and its parameter, which is the smoothing or δ
LOSSES = {
    "cross_entropy": 0.0,
    "binary_cross_entropy": 0.0,
    "squared_error": 0.0,
    "absolute_error": 0.0,
    "huber": 1.0,
    "poisson": 0.0,
}


class _Loss(Kernels):
    function = "binary_cross_entropy"  # the most expensive loss of those whose targets have the shape of z
    smoothing, weighted = 0.0, False

    def allocate(self, batch: int, n_in: int, n_out: int, dtype: str) -> None:
        self.address = kernels.loss(self.function, np.dtype(dtype))
        self.z, self.dz = normal(batch, n_out, dtype=dtype), normal(batch, n_out, dtype=dtype)
        classes = labels(batch, n_out)
        self.targets = classes if self.function == "cross_entropy" else np.eye(n_out, dtype=dtype)[classes]
        self.weights = 1.0 + classes % 2 if self.weighted else np.ones(1)
        self.parameter = self.smoothing or LOSSES[self.function]

    def time_loss_gradient(self, *_: object) -> tuple[Array, ...]:
        kernels.loss_gradient(self.address, self.z, self.targets, self.weights, self.parameter, self.dz)
        return (self.dz,)


class Loss(_Loss):
    params = (list(LOSSES), [10, 512], THREADS)
    param_names = ("loss", "outputs", "threads")

    def setup(self, loss: str, outputs: int, threads: int) -> None:
        self.function = loss
        self.prepare(threads, SAMPLES, outputs, outputs)


class SmoothedCrossEntropy(_Loss):
    """The cost of label smoothing and of weights of rows."""

    function = "cross_entropy"
    params = ([0.0, 0.1], ["none", "of rows"], THREADS)
    param_names = ("smoothing", "weights", "threads")

    def setup(self, smoothing: float, weights: str, threads: int) -> None:
        self.smoothing, self.weighted = smoothing, weights == "of rows"
        self.prepare(threads, SAMPLES, 10, 10)


class LossByWidth(_Loss, ByWidth):
    pass


class LossOddSizes(_Loss, OddSizes):
    pass
