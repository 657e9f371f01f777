"""One training run of a configuration, and the experiments over several seeds."""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fastmlp import MLP, SGD, BatchNorm, EarlyStopping, init, train
from fastmlp.experiments.configuration import EXPERIMENTS, Configuration, Experiment
from fastmlp.history import Record

# X, y, X_test, y_test as datasets.mnist() returns them
Data = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

WARM_UP_BATCHES = 2


@dataclass(frozen=True, kw_only=True)
class Run:
    """The figures of one training run.

    `final_cost` is the cost of the last mini-batch with the L2 penalty, as in the report. `seconds` is the time of the
    training alone, without compilation and without reading the data. `final_cost` is None if the cost became infinite
    in the first epoch.
    """

    experiment: str
    seed: int
    epochs: int
    steps: int
    train_accuracy: float
    test_accuracy: float
    val_accuracy: float
    final_cost: float | None
    seconds: float
    largest_weight: float
    stopped_because: str
    records: list[Record] = field(repr=False)
    weights: list[np.ndarray] = field(repr=False)

    def figures(self) -> dict[str, Any]:
        """Return the run as one flat record, without its curve and its weights."""
        return {name: value for name, value in vars(self).items() if name not in ("records", "weights")}


def train_once(
    configuration: Configuration, data: Data, *, seed: int, threads: int | None = None, name: str = ""
) -> Run:
    """Train one network with the report's stop rule and measure its accuracies.

    Parameters
    ----------
    configuration : Configuration
        The settings of the training.
    data : tuple of arrays
        X, y, X_test, y_test.
    seed : int
        Determines the initial weights, the held-out samples and the shuffling. Each gets its own random stream.
    threads : int, optional
        As for `fastmlp.train`.
    name : str
        The experiment's name, which the run keeps.

    Returns
    -------
    Run

    Raises
    ------
    KeyboardInterrupt
        The training was interrupted by Ctrl-C. An unfinished run is no result.
    """
    X, y, X_test, y_test = data
    first_weights, split, shuffling = (int(word) for word in np.random.SeedSequence(seed).generate_state(3))
    held_out = round(configuration.validation * len(y))
    order = np.random.default_rng(split).permutation(len(y))
    X_val, y_val = X[order[:held_out]], y[order[:held_out]]
    X_train, y_train = X[order[held_out:]], y[order[held_out:]]
    net = new_network(
        configuration, n_inputs=X.shape[1], n_classes=int(max(y.max(), y_test.max())) + 1, seed=first_weights
    )
    with warnings.catch_warnings():
        # the run tells it by `stopped_because` and by its figures
        warnings.filterwarnings("ignore", message="the cost became NaN")
        history = train(
            net, X_train, y_train,
            validation=(X_val, y_val),
            optimizer=SGD(learning_rate=configuration.learning_rate, weight_decay=configuration.weight_decay),
            batch_size=configuration.batch_size, epochs=configuration.epochs,
            stop=EarlyStopping.report(),
            seed=shuffling, threads=threads, progress=False,
        )  # fmt: skip
    if history.stopped_because == "interrupted":
        raise KeyboardInterrupt
    return Run(
        experiment=name,
        seed=seed,
        epochs=history.epochs,
        steps=history.steps,
        train_accuracy=net.accuracy(X_train, y_train, threads=threads),
        test_accuracy=net.accuracy(X_test, y_test, threads=threads),
        val_accuracy=net.accuracy(X_val, y_val, threads=threads),
        final_cost=history.records[-1]["last_cost"] if history.records else None,
        seconds=history.seconds,
        largest_weight=max(float(np.abs(weight).max()) for weight in net.weights),
        stopped_because=history.stopped_because,
        records=history.records,
        weights=[np.array(weight) for weight in net.weights],
    )


def new_network(configuration: Configuration, *, n_inputs: int, n_classes: int, seed: int) -> MLP:
    """Return the configuration's network, untrained."""
    return MLP(
        [n_inputs, *configuration.hidden, n_classes],
        batch_norm=BatchNorm(placement="after_relu", affine=False) if configuration.batch_norm else None,
        init=init.simple(configuration.init_scale),
        seed=seed,
    )


def warm_up(configuration: Configuration, data: Data, *, threads: int | None = None) -> float:
    """Compile all kernels of a run of `configuration`, by a run of two mini-batches; return the seconds."""
    X, y, X_test, y_test = data
    few = min(len(y), round(WARM_UP_BATCHES * configuration.batch_size / (1 - configuration.validation)))
    start = time.perf_counter()
    # the number of outputs is the largest class index + 1, so the few samples must contain the last class
    first = np.argsort(y != y.max(), kind="stable")[:few]
    train_once(
        replace(configuration, epochs=1), (X[first], y[first], X_test[:few], y_test[:few]), seed=0, threads=threads
    )
    return time.perf_counter() - start


def run_experiments(
    data: Data,
    *,
    experiments: Sequence[Experiment] = EXPERIMENTS,
    seeds: Sequence[int] = range(5),
    threads: int | None = None,
    finished: Callable[[Run], None] | None = None,
) -> tuple[list[Run], dict[str, float]]:
    """Run every experiment with every seed, one after the other.

    Parameters
    ----------
    data : tuple of arrays
        X, y, X_test, y_test.
    experiments : sequence of Experiment
        The experiments.
    seeds : sequence of int
        Every experiment is run once with each seed.
    threads : int, optional
        As for `fastmlp.train`.
    finished : callable, optional
        Called with every run when it ends, for a progress bar.

    Returns
    -------
    runs : list of Run
        All runs of the first experiment in the order of the seeds, then those of the second, and so on.
    warm_up_seconds : dict
        For each experiment, the seconds of a small run before the first run. The small run compiles the kernels or
        reads them from the cache. The seconds of the other runs do not include it.
    """
    warm_up_seconds = {
        experiment.name: warm_up(experiment.configuration, data, threads=threads) for experiment in experiments
    }
    runs = []
    for experiment in experiments:
        for seed in seeds:
            run = train_once(experiment.configuration, data, seed=seed, threads=threads, name=experiment.name)
            runs.append(run)
            if finished is not None:
                finished(run)
    return runs, warm_up_seconds
