"""A small data set in the form of MNIST, and experiments on it that take less than a second."""

from dataclasses import replace

import numpy as np
import pytest

from fastmlp.experiments import EXPERIMENTS


@pytest.fixture(scope="session")
def small_data():
    """Three classes of twelve pixels: X (600, 12) uint8, y (600,) int64, and 150 of these rows as a test set."""
    rng = np.random.default_rng(5)
    y = rng.integers(0, 3, size=750)
    centres = rng.integers(0, 200, size=(3, 12))
    X = np.clip(centres[y] + rng.normal(0, 20, size=(750, 12)), 0, 255).astype(np.uint8)
    return X[:600], y[:600], X[600:], y[600:]


@pytest.fixture(scope="session")
def small_experiments():
    """The three experiments with batches and networks for the small data."""
    return [
        replace(
            experiment,
            configuration=replace(
                experiment.configuration, batch_size=60, hidden=(6, 4), learning_rate=0.002, epochs=3
            ),
        )
        for experiment in EXPERIMENTS
    ]
