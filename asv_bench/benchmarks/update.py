"""The parameter update."""

from fastmlp import kernels

from ._data import LAYERS, THREADS, Array, normal
from ._scenarios import ByWidth, Kernels, OddSizes

# asv repeats the step many times; the weights approach -dweight / DECAY, so that no overflow or subnormal number occurs
RATE, DECAY = 0.01, 0.0005


class _Sgd(Kernels):
    def allocate(self, batch: int, n_in: int, n_out: int, dtype: str) -> None:
        self.weight, self.dweight = normal(n_in, n_out, dtype=dtype), normal(n_in, n_out, seed=1, dtype=dtype)

    def time_sgd_update(self, *_: object) -> tuple[Array, ...]:
        kernels.sgd_update(self.weight, self.dweight, RATE, DECAY)
        return (self.weight,)


class Sgd(_Sgd):
    params = (LAYERS, THREADS)
    param_names = ("layer (inputs x outputs)", "threads")

    def setup(self, layer: str, threads: int) -> None:
        n_in, n_out = map(int, layer.split("x"))
        self.prepare(threads, 0, n_in, n_out)


class SgdByWidth(_Sgd, ByWidth):
    pass


class SgdOddSizes(_Sgd, OddSizes):
    pass
