"""Prediction of a test set of MNIST's size, and of one row, whose time is mostly not arithmetic."""

from ._data import NETWORKS, THREADS, Array, make_network, pixels, use_threads
from ._pages import shown_as

SAMPLES = 10_000


class Prediction:
    params = (NETWORKS, THREADS)
    param_names = ("network", "threads")

    def setup(self, network: str, threads: int) -> None:
        use_threads(threads)
        self.net = make_network(network)
        self.X = pixels(SAMPLES, self.net.n_inputs)
        self.time_predict_proba(network, threads)

    @shown_as(f"Prediction: time of {SAMPLES:,} rows")
    def time_predict_proba(self, network: str, threads: int) -> tuple[Array, ...]:
        return (self.net.predict_proba(self.X, threads=threads),)


class OneRow:
    params = (NETWORKS,)
    param_names = ("network",)

    def setup(self, network: str) -> None:
        use_threads(1)
        self.net = make_network(network)
        self.X = pixels(1, self.net.n_inputs)
        self.time_predict_proba()

    @shown_as("Prediction: latency of one row, 1 thread")
    def time_predict_proba(self, *_: object) -> tuple[Array, ...]:
        return (self.net.predict_proba(self.X, threads=1),)
