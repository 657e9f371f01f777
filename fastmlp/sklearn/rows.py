"""The rows that an estimator trains on and is validated on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split


@dataclass
class Rows:
    """Rows of a data set; ``rows`` None means all of the arrays.

    Attributes
    ----------
    x : numpy.ndarray (n, n_features)
        As the engine takes it.
    targets : numpy.ndarray
        Class indices ``(n,)``, or numbers ``(n, n_outputs)`` in the network's dtype.
    y : numpy.ndarray
        What a scorer compares predictions with.
    weight : numpy.ndarray (n,) or None
        Sample weights, float64.
    """

    x: np.ndarray
    targets: np.ndarray
    y: Any
    weight: np.ndarray | None = None
    rows: np.ndarray | None = None

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.x if self.rows is None else self.rows)

    def order(self, positions: np.ndarray) -> np.ndarray:
        """Return the indices in the arrays of the rows at these positions."""
        return positions if self.rows is None else self.rows[positions]


def hold_out(
    data: Rows, fraction: float, stratify: np.ndarray | None, score_weight: Any, rng: np.random.RandomState
) -> tuple[Rows, Rows]:
    """Return training and validation rows, split as scikit-learn's MLPs do; `score_weight` weighs the latter."""
    rows, held_out = train_test_split(np.arange(data.n), random_state=rng, test_size=fraction, stratify=stratify)
    if len(held_out) < 2:
        raise ValueError(
            f"The validation set is too small: validation_fraction={fraction} of {data.n} rows is {len(held_out)}. "
            "Increase 'validation_fraction' or the size of your dataset."
        )
    training = Rows(data.x, data.targets, data.y, data.weight, rows)
    weight = None if score_weight is None else score_weight[held_out]
    return training, Rows(data.x[held_out], data.targets[held_out], data.y[held_out], weight)
