"""Prediction of a test set of MNIST's size."""

from ._data import NETWORKS, THREADS, Array, make_network, pixels, use_threads

SAMPLES = 10_000


class Prediction:
    params = (NETWORKS, THREADS)
    param_names = ("network", "threads")

    def setup(self, network: str, threads: int) -> None:
        use_threads(threads)
        self.net = make_network(network)
        self.X = pixels(SAMPLES, self.net.n_inputs)
        self.time_predict_proba(network, threads)

    def time_predict_proba(self, network: str, threads: int) -> tuple[Array, ...]:
        return (self.net.predict_proba(self.X, threads=threads),)
