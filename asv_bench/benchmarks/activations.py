"""Activations with their slopes, and output functions."""

import numpy as np

from fastmlp import kernels

from ._data import THREADS, Array, normal
from ._scenarios import ByWidth, Kernels, OddSizes

FUNCTIONS = ["logistic", "tanh", "leaky_relu", "gelu", "silu", "selu", "mish", "exp", "softmax"]


class _Activation(Kernels):
    function = "gelu"  # the most expensive function

    def allocate(self, batch: int, n_in: int, n_out: int, dtype: str) -> None:
        self.address = kernels.activation(self.function, np.dtype(dtype))
        self.z = normal(batch, n_out, dtype=dtype)
        self.out, self.slope = normal(batch, n_out, dtype=dtype), normal(batch, n_out, dtype=dtype)

    def time_activate(self, *_: object) -> tuple[Array, ...]:
        kernels.activate(self.address, self.z, self.out, self.slope)
        return (self.out,)  # softmax has no slope


class Activation(_Activation):
    params = (FUNCTIONS, [128, 1000], THREADS)
    param_names = ("function", "batch (rows)", "threads")

    def setup(self, function: str, batch: int, threads: int) -> None:
        self.function = function
        self.prepare(threads, batch, 128, 128)


class ActivationByWidth(_Activation, ByWidth):
    pass


class ActivationOddSizes(_Activation, OddSizes):
    pass
