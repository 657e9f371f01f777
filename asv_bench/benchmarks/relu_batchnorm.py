"""ReLU and batch norm: alone, and fused in either order."""

from fastmlp import kernels

from ._data import BATCHES, THREADS, Array, normal, use_threads

EPS = 1e-5


class Features:
    """The arrays that the kernels of the family work on; itself no benchmark."""

    params = ([20, 128, 512], BATCHES, THREADS)
    param_names = ("features", "batch", "threads")

    def setup(self, features: int, batch: int, threads: int) -> None:
        use_threads(threads)
        self.z, self.dout = normal(batch, features), normal(batch, features, seed=1)
        self.out, self.dz = normal(batch, features), normal(batch, features)
        self.gamma, self.beta = normal(features), normal(features)
        self.mean, self.inv_std = normal(features), normal(features)
        self.dgamma, self.dbeta = normal(features), normal(features)


class Relu(Features):
    def setup(self, features: int, batch: int, threads: int) -> None:
        super().setup(features, batch, threads)
        self.time_forward()
        self.time_backward()

    def time_forward(self, *_: object) -> tuple[Array, ...]:
        kernels.relu_forward(self.z, self.out)
        return (self.out,)

    def time_backward(self, *_: object) -> tuple[Array, ...]:
        kernels.relu_backward(self.z, self.dout, self.dz)
        return (self.dz,)


class ReluBatchNorm(Features):
    def setup(self, features: int, batch: int, threads: int) -> None:
        super().setup(features, batch, threads)
        self.time_forward()
        self.time_backward()

    def time_forward(self, *_: object) -> tuple[Array, ...]:
        kernels.relu_batchnorm_forward(self.z, EPS, self.out, self.mean, self.inv_std)
        return self.out, self.mean, self.inv_std

    def time_backward(self, *_: object) -> tuple[Array, ...]:
        kernels.relu_batchnorm_backward(self.z, self.mean, self.inv_std, self.dout, self.dz)
        return (self.dz,)


class BatchNormRelu(Features):
    def setup(self, features: int, batch: int, threads: int) -> None:
        super().setup(features, batch, threads)
        self.time_forward()
        self.time_backward()

    def time_forward(self, *_: object) -> tuple[Array, ...]:
        kernels.batchnorm_relu_forward(self.z, self.gamma, self.beta, EPS, self.out, self.mean, self.inv_std)
        return self.out, self.mean, self.inv_std

    def time_backward(self, *_: object) -> tuple[Array, ...]:
        kernels.batchnorm_relu_backward(
            self.z, self.gamma, self.beta, self.mean, self.inv_std, self.dout, self.dz, self.dgamma, self.dbeta
        )
        return self.dz, self.dgamma, self.dbeta
