"""The linear layer: forward, and its three gradients."""

from fastmlp import kernels

from ._data import BATCHES, LAYERS, THREADS, Array, normal, use_threads


class Linear:
    params = (LAYERS, BATCHES, THREADS)
    param_names = ("layer", "batch", "threads")

    def setup(self, layer: str, batch: int, threads: int) -> None:
        use_threads(threads)
        n_in, n_out = map(int, layer.split("x"))
        self.x, self.weight, self.bias = normal(batch, n_in), normal(n_in, n_out), normal(n_out)
        self.out, self.dout = normal(batch, n_out), normal(batch, n_out)
        self.dx, self.dweight, self.dbias = normal(batch, n_in), normal(n_in, n_out), normal(n_out)
        self.time_forward()
        self.time_backward()

    def time_forward(self, *_: object) -> tuple[Array, ...]:
        kernels.linear_forward(self.x, self.weight, self.bias, self.out)
        return (self.out,)

    def time_backward(self, *_: object) -> tuple[Array, ...]:
        kernels.linear_backward(self.x, self.weight, self.dout, self.dx, self.dweight, self.dbias)
        return self.dx, self.dweight, self.dbias
