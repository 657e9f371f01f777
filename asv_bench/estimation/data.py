"""The data sets: two of digits, and two that are generated."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, make_classification
from sklearn.model_selection import train_test_split

from fastmlp import datasets

Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # x, x_test, y, y_test


@dataclass(frozen=True)
class DataSet:
    """A data set, and the number of epochs of a timed fit.

    Attributes
    ----------
    read : callable
        Returns ``x, x_test, y, y_test``.
    epochs : int
        Number of epochs of a timed fit.
    """

    read: Callable[[], Split]
    epochs: int

    def write(self, path: Path) -> None:
        """Write the file for `job.Job`."""
        x, x_test, y, y_test = self.read()
        np.savez(path, x=x.astype(np.float64), x_test=x_test.astype(np.float64), y=y, y_test=y_test)


def _mnist() -> Split:
    x, y, x_test, y_test = datasets.mnist()
    return x / 255, x_test / 255, y, y_test


def _digits() -> Split:
    x, y = load_digits(return_X_y=True)
    x, x_test, y, y_test = train_test_split(x / 16, y, test_size=0.25, random_state=0, stratify=y)
    return x, x_test, y, y_test


def _drawn(samples: int, features: int, classes: int) -> Split:
    """Return `samples` generated training rows, and a quarter as many test rows."""
    x, y = make_classification(
        samples + samples // 4, features, n_informative=features // 2, n_classes=classes, random_state=0
    )
    return x[:samples], x[samples:], y[:samples], y[samples:]


DATA = {
    "digits": DataSet(_digits, epochs=100),
    "20000x50": DataSet(lambda: _drawn(20_000, 50, classes=10), epochs=10),
    "100000x20": DataSet(lambda: _drawn(100_000, 20, classes=5), epochs=3),
    "mnist": DataSet(_mnist, epochs=3),
}
