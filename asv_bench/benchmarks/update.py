"""The parameter update."""

from fastmlp import kernels

from ._data import LAYERS, THREADS, Array, normal, use_threads

# however often asv repeats the step, the weights only tend to -dweight / DECAY: no overflow, no subnormal numbers
RATE, DECAY = 0.01, 0.0005


class Sgd:
    params = (LAYERS, THREADS)
    param_names = ("layer", "threads")

    def setup(self, layer: str, threads: int) -> None:
        use_threads(threads)
        n_in, n_out = map(int, layer.split("x"))
        self.weight, self.dweight = normal(n_in, n_out), normal(n_in, n_out, seed=1)
        self.time_sgd_update()

    def time_sgd_update(self, *_: object) -> tuple[Array, ...]:
        kernels.sgd_update(self.weight, self.dweight, RATE, DECAY)
        return (self.weight,)
