"""Prediction of a test set of MNIST's size, and of one row, whose time is mostly not arithmetic."""

import warnings
from typing import Any

from numpy.typing import NDArray

from ._data import NETWORKS, THREADS, Array, labels, make_network, normal, pixels, use_threads
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


class EstimatorOneRow:
    """One row through an estimator, as a service predicts: nearly all of the time is Python's."""

    params = ([1],)
    param_names = ("threads",)

    def setup(self, threads: int) -> None:
        try:
            from fastmlp.sklearn import MLPClassifier
        except ImportError:
            raise NotImplementedError("scikit-learn is not installed") from None
        use_threads(threads)
        X, y = normal(64, 16), labels(64, 3)
        # the float64 kernels of the default solver would be compiled for nothing else
        self.estimator = MLPClassifier((16,), solver="sgd", max_iter=1, tol=0.0, threads=threads, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one epoch does not converge
            self.estimator.fit(X, y)
        self.x = X[:1]
        self.time_predict()
        self.time_predict_proba()

    @shown_as("Prediction: one row, estimator's classes")
    def time_predict(self, *_: object) -> tuple[NDArray[Any], ...]:
        return (self.estimator.predict(self.x),)

    @shown_as("Prediction: one row, estimator's probabilities")
    def time_predict_proba(self, *_: object) -> tuple[NDArray[Any], ...]:
        return (self.estimator.predict_proba(self.x),)
