"""ReLU and batch norm: alone, and fused in either order."""

from functools import partial

from fastmlp import kernels

from ._data import BATCHES, THREADS, Array, normal
from ._scenarios import ByWidth, Kernels, OddSizes

EPS = 1e-5


class _Features(Kernels):
    """The arrays that the kernels of the family work on."""

    def allocate(self, batch: int, n_in: int, n_out: int, dtype: str) -> None:
        draw = partial(normal, dtype=dtype)
        self.z, self.dout = draw(batch, n_out), draw(batch, n_out, seed=1)
        self.out, self.dz = draw(batch, n_out), draw(batch, n_out)
        self.gamma, self.beta = draw(n_out), draw(n_out)
        self.mean, self.inv_std = draw(n_out), draw(n_out)
        self.dgamma, self.dbeta = draw(n_out), draw(n_out)


class _ByBatch(_Features):
    params = ([20, 128, 512], BATCHES, THREADS)
    param_names = ("features", "batch (rows)", "threads")

    def setup(self, features: int, batch: int, threads: int) -> None:
        self.prepare(threads, batch, features, features)


class _Relu(_Features):
    def time_forward(self, *_: object) -> tuple[Array, ...]:
        kernels.relu_forward(self.z, self.out)
        return (self.out,)

    def time_backward(self, *_: object) -> tuple[Array, ...]:
        kernels.relu_backward(self.z, self.dout, self.dz)
        return (self.dz,)


class _ReluBatchNorm(_Features):
    def time_forward(self, *_: object) -> tuple[Array, ...]:
        kernels.relu_batchnorm_forward(self.z, EPS, self.out, self.mean, self.inv_std)
        return self.out, self.mean, self.inv_std

    def time_backward(self, *_: object) -> tuple[Array, ...]:
        kernels.relu_batchnorm_backward(self.z, self.mean, self.inv_std, self.dout, self.dz)
        return (self.dz,)


class _BatchNormRelu(_Features):
    def time_forward(self, *_: object) -> tuple[Array, ...]:
        kernels.batchnorm_relu_forward(self.z, self.gamma, self.beta, EPS, self.out, self.mean, self.inv_std)
        return self.out, self.mean, self.inv_std

    def time_backward(self, *_: object) -> tuple[Array, ...]:
        kernels.batchnorm_relu_backward(
            self.z, self.gamma, self.beta, self.mean, self.inv_std, self.dout, self.dz, self.dgamma, self.dbeta
        )
        return self.dz, self.dgamma, self.dbeta


class Relu(_Relu, _ByBatch):
    pass


class ReluByWidth(_Relu, ByWidth):
    pass


class ReluOddSizes(_Relu, OddSizes):
    pass


class ReluBatchNorm(_ReluBatchNorm, _ByBatch):
    pass


class ReluBatchNormByWidth(_ReluBatchNorm, ByWidth):
    pass


class ReluBatchNormOddSizes(_ReluBatchNorm, OddSizes):
    pass


class BatchNormRelu(_BatchNormRelu, _ByBatch):
    pass


class BatchNormReluByWidth(_BatchNormRelu, ByWidth):
    pass


class BatchNormReluOddSizes(_BatchNormRelu, OddSizes):
    pass
