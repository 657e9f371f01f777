"""The linear layer: forward, and its three gradients."""

from functools import partial

from fastmlp import kernels

from ._data import BATCHES, LAYERS, THREADS, Array, normal
from ._scenarios import ByWidth, Kernels, OddSizes


class _Linear(Kernels):
    def allocate(self, batch: int, n_in: int, n_out: int, dtype: str) -> None:
        draw = partial(normal, dtype=dtype)
        self.x, self.weight, self.bias = draw(batch, n_in), draw(n_in, n_out), draw(n_out)
        self.out, self.dout = draw(batch, n_out), draw(batch, n_out)
        self.dx, self.dweight, self.dbias = draw(batch, n_in), draw(n_in, n_out), draw(n_out)

    def time_forward(self, *_: object) -> tuple[Array, ...]:
        kernels.linear_forward(self.x, self.weight, self.bias, self.out)
        return (self.out,)

    def time_backward(self, *_: object) -> tuple[Array, ...]:
        kernels.linear_backward(self.x, self.weight, self.dout, self.dx, self.dweight, self.dbias)
        return self.dx, self.dweight, self.dbias


class Linear(_Linear):
    params = (LAYERS, BATCHES, THREADS)
    param_names = ("layer (inputs x outputs)", "batch (rows)", "threads")

    def setup(self, layer: str, batch: int, threads: int) -> None:
        n_in, n_out = map(int, layer.split("x"))
        self.prepare(threads, batch, n_in, n_out)


class LinearByWidth(_Linear, ByWidth):
    pass


class LinearOddSizes(_Linear, OddSizes):
    pass
