"""Scores of rows that lie in several places: sums that are added up, and what follows from them."""

from typing import NamedTuple

import numpy as np

from fastmlp.inputs.moments import joined


class Moments(NamedTuple):
    """Weight, mean and spread of numbers, column by column.

    Attributes
    ----------
    weight : float
        Summed, of all rows.
    mean : numpy.ndarray (n_columns,)
        Weighted.
    spread : numpy.ndarray (n_columns,)
        Weighted sum of the squared distances from the mean.
    """

    weight: float
    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, weights: np.ndarray | None) -> "Moments":
        """Return those of `values` ``(n, n_columns)``, each row of weight 1 or of its own ``(n,)``."""
        own = np.ones(len(values)) if weights is None else weights
        total = float(own.sum())
        values = values.astype(np.float64)
        mean = own @ values / total if total else np.zeros(values.shape[1])
        return cls(total, mean, own @ np.square(values - mean))

    def __or__(self, other: "Moments") -> "Moments":
        total = self.weight + other.weight
        if not total:
            return self
        mean, spread = joined((self.weight, other.weight), (self.mean, other.mean), (self.spread, other.spread))
        return Moments(total, mean, spread)


class Evaluation(NamedTuple):
    """What some rows say of a network, as sums over the rows.

    Attributes
    ----------
    weight : float
        Of the rows.
    cost : float
        Weighted sum of the rows' losses.
    right : float or None
        Weight of the rows that are classified rightly; None where the targets are numbers.
    residuals : numpy.ndarray (n_outputs,) or None
        Weighted sums of the squared errors; None where the targets are classes.
    """

    weight: float
    cost: float
    right: float | None
    residuals: np.ndarray | None

    def __or__(self, other: "Evaluation") -> "Evaluation":
        right = None if self.right is None or other.right is None else self.right + other.right
        residuals = None
        if self.residuals is not None and other.residuals is not None:
            residuals = self.residuals + other.residuals
        return Evaluation(self.weight + other.weight, self.cost + other.cost, right, residuals)


def r2(residuals: np.ndarray, spread: np.ndarray) -> float:
    """Return R², the mean over the outputs, as ``sklearn.metrics.r2_score`` counts it.

    Parameters
    ----------
    residuals : numpy.ndarray (n_outputs,)
        Weighted sums of the squared errors.
    spread : numpy.ndarray (n_outputs,)
        Of the targets, as in `Moments`. Where it is 0, R² is 1 without an error and 0 with one.
    """
    constant = spread == 0
    shares = np.divide(residuals, spread, out=(residuals != 0).astype(np.float64), where=~constant)
    return float(np.mean(1 - shares))
