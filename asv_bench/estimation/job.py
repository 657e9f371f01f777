"""The task of an estimator."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class Job:
    """A data set in a file, and a network.

    Attributes
    ----------
    file : str
        File with the arrays ``x, x_test`` (float64) and ``y, y_test`` (int64).
    dtype : str
        Dtype of the rows that the estimator gets.
    hidden : tuple of int
        Widths of the hidden layers.
    threads : int
        Number of threads that the library may use.
    """

    file: str
    dtype: str
    hidden: tuple[int, ...]
    threads: int

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of the data set, with the rows in the job's dtype."""
        with np.load(self.file) as arrays:
            return {name: self._cast(array) for name, array in arrays.items()}

    def _cast(self, array: np.ndarray) -> np.ndarray:
        return array.astype(self.dtype) if array.ndim == 2 else array


class Model(Protocol):
    """An estimator, or a network with the same interface."""

    def fit(self, x: np.ndarray, y: np.ndarray, epochs: int, state: int) -> int:
        """Train from the start for `epochs` with a random state; return the number of epochs done."""

    def score(self, x: np.ndarray, y: np.ndarray) -> float:
        """Return the accuracy."""

    def predictor(self, x: np.ndarray) -> Any:
        """Return a function without arguments, which computes the probabilities of the rows of `x`."""
