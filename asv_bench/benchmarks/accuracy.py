"""Seconds of training to 98 % on MNIST's test images, and the error after a fixed budget of epochs or seconds.

The result depends on the seed, and also on the rounding of the arithmetic. So the figures are medians over `SEEDS`. The
seconds are those of `fastmlp.train` alone, without compilation and without the evaluation between the epochs.
"""

import itertools
import statistics
from collections.abc import Iterable, Iterator

import numpy as np

import fastmlp
from fastmlp import datasets
from fastmlp.experiments import EXPERIMENTS
from fastmlp.experiments.run import new_network

from ._data import THREADS, use_threads, widths_of
from ._pages import shown_as

SAMPLES = 60_000
SEEDS = 3
TARGET = 0.98
EPOCHS = 10  # largest number of epochs; after them the learning rate would be 0
BATCH_SIZE, PEAK_RATE = 64, 0.3
TRAINING_SHARE = 0.8  # the experiments hold out the rest
SECONDS = 1.0
EXPERIMENT = {experiment.name: experiment for experiment in EXPERIMENTS}


class _Mnist:
    def load(self, threads: int) -> None:
        """Read the images and compile the kernels."""
        use_threads(threads)
        self.threads = threads
        X, y, self.X_test, self.y_test = datasets.mnist()
        self.X, self.y = X[:SAMPLES], y[:SAMPLES]

    def accuracy(self, net: fastmlp.MLP) -> float:
        return net.accuracy(self.X_test, self.y_test, threads=self.threads)

    def train(
        self, net: fastmlp.MLP, batch: int, optimizers: Iterable[fastmlp.SGD], seed: int, samples: int
    ) -> Iterator[float]:
        """Train an epoch with each of the optimizers; yield the seconds of all epochs so far."""
        rng, seconds = np.random.default_rng(seed), 0.0
        for optimizer in optimizers:
            history = fastmlp.train(
                net,
                self.X[:samples],
                self.y[:samples],
                validation=None,
                optimizer=optimizer,
                batch_size=batch,
                epochs=1,
                seed=rng,
                threads=self.threads,
                progress=False,
            )
            seconds += history.seconds
            yield seconds


class TimeToAccuracy(_Mnist):
    """Batch norm before the ReLU, and plain SGD with a learning rate that falls linearly from epoch to epoch.

    The benchmark fails if a seed has not reached the accuracy after the last epoch.
    """

    params = (["784-128-10", "784-512-512-10"], THREADS)
    param_names = ("network", "threads")
    timeout = 900.0

    def setup(self, network: str, threads: int) -> None:
        self.load(threads)
        self.widths = widths_of(network)
        net = self.network(0)
        next(self.train(net, BATCH_SIZE, [fastmlp.SGD(PEAK_RATE)], 0, BATCH_SIZE))
        self.accuracy(net)

    def network(self, seed: int) -> fastmlp.MLP:
        batch_norm = fastmlp.BatchNorm(placement="before_relu", affine=True)
        return fastmlp.MLP(self.widths, input_scale=1 / 255, batch_norm=batch_norm, seed=seed)

    def seconds(self, seed: int) -> float:
        """Return the seconds of the epochs until the accuracy is reached."""
        net, best = self.network(seed), 0.0
        rates = [fastmlp.SGD(PEAK_RATE * (1 - epoch / EPOCHS)) for epoch in range(EPOCHS)]
        for seconds in self.train(net, BATCH_SIZE, rates, seed, SAMPLES):
            best = max(best, self.accuracy(net))
            if best >= TARGET:
                return seconds
        raise RuntimeError(f"seed {seed}: {best:.2%} after {EPOCHS} epochs, expected {TARGET:.0%}")

    @shown_as(f"Accuracy: training to {TARGET:.0%} on MNIST", unit="seconds of training")
    def track_seconds(self, network: str, threads: int) -> float:
        return statistics.median(self.seconds(seed) for seed in range(SEEDS))


class Budget(_Mnist):
    """The report's experiments without their stop rule.

    The budget of epochs is that of the report's runs. The error after it shows whether the network still learns as it
    should; it does not depend on the machine or the number of threads. The error after a number of seconds shows what a
    user gets on this machine: it becomes smaller with faster steps and with better steps.
    """

    params = (list(EXPERIMENT),)
    param_names = ("experiment",)
    timeout = 600.0

    def setup(self, experiment: str) -> None:
        self.load(max(THREADS))
        self.configuration, self.epochs = EXPERIMENT[experiment].configuration, EXPERIMENT[experiment].report.epochs
        self.samples = round(TRAINING_SHARE * SAMPLES)
        self.optimizer = fastmlp.SGD(self.configuration.learning_rate, self.configuration.weight_decay)
        net = self.network(0)
        next(self.train(net, self.configuration.batch_size, [self.optimizer], 0, self.configuration.batch_size))
        self.accuracy(net)

    def network(self, seed: int) -> fastmlp.MLP:
        return new_network(self.configuration, n_inputs=self.X.shape[1], n_classes=10, seed=seed)

    def error(self, seed: int, optimizers: Iterable[fastmlp.SGD], budget: float) -> float:
        """Return the percentage of wrong answers after the epoch in which the seconds end, or after the last epoch."""
        net = self.network(seed)
        for seconds in self.train(net, self.configuration.batch_size, optimizers, seed, self.samples):
            if seconds >= budget:
                break
        return 100 * (1 - self.accuracy(net))

    @shown_as("Accuracy: error after the report's epochs", unit="% of the test images")
    def track_error_after_epochs(self, experiment: str) -> float:
        epochs = [self.optimizer] * self.epochs
        return statistics.median(self.error(seed, epochs, np.inf) for seed in range(SEEDS))

    @shown_as(f"Accuracy: error after {SECONDS:g} s of training", unit="% of the test images")
    def track_error_after_seconds(self, experiment: str) -> float:
        endless = itertools.repeat(self.optimizer)
        return statistics.median(self.error(seed, endless, SECONDS) for seed in range(SEEDS))
