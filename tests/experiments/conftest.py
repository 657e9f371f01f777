"""A small data set in MNIST's form, and experiments on it that end within a second."""

from dataclasses import replace

import numpy as np
import pytest

from fastmlp.experiments import EXPERIMENTS, Run


@pytest.fixture(scope="session")
def small_data():
    """Three classes of twelve pixels: X (600, 12) uint8, y (600,) int64, and 150 of them again as a test set."""
    rng = np.random.default_rng(5)
    y = rng.integers(0, 3, size=750)
    centres = rng.integers(0, 200, size=(3, 12))
    X = np.clip(centres[y] + rng.normal(0, 20, size=(750, 12)), 0, 255).astype(np.uint8)
    return X[:600], y[:600], X[600:], y[600:]


@pytest.fixture(scope="session")
def small_experiments():
    """The three experiments with batches and networks to match the small data."""
    return [
        replace(
            experiment,
            configuration=replace(
                experiment.configuration, batch_size=60, hidden=(6, 4), learning_rate=0.002, epochs=3
            ),
        )
        for experiment in EXPERIMENTS
    ]


@pytest.fixture
def make_run():
    """A run with the figures that a test cares about."""

    def make(experiment="none", seed=0, **figures):
        usual = {
            "epochs": 2,
            "steps": 96,
            "train_accuracy": 0.91,
            "test_accuracy": 0.90,
            "val_accuracy": 0.89,
            "final_cost": 0.3,
            "seconds": 1.5,
            "largest_weight": 0.5,
            "stopped_because": "early stopping",
        }
        records = [
            {"epoch": 1, "steps": 48, "cost": 0.9, "last_cost": 0.8, "val_cost": 0.9, "val_accuracy": 0.7},
            {"epoch": 2, "steps": 96, "cost": 0.4, "last_cost": 0.3, "val_cost": 0.4, "val_accuracy": 0.89},
        ]
        records = [record | {"seconds": 0.75 * record["epoch"]} for record in records]
        rng = np.random.default_rng(seed)
        weights = [rng.normal(size=shape).astype(np.float32) for shape in ((12, 6), (6, 3))]
        return Run(experiment=experiment, seed=seed, records=records, weights=weights, **(usual | figures))

    return make
