"""What a prediction is judged by. Less is better for all of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

Loss = Callable[[np.ndarray, np.ndarray], float]


def error_rate(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the share of rows whose most probable class is not `truth`, an index (n,); probabilities (n, classes)."""
    return float(np.mean(probabilities.argmax(axis=1) != truth))


def below_the_curve(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Return 1 − AUC of the second class, for `truth` 0 or 1."""
    return 1 - float(roc_auc_score(truth, probabilities[:, 1]))


def rmse(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.mean((predicted - truth) ** 2)))


@dataclass(frozen=True)
class Measure:
    """A loss with its name in tables; `classes` says whether it judges probabilities."""

    label: str
    loss: Loss
    classes: bool


MEASURES = {
    "error": Measure("error rate", error_rate, classes=True),
    "auc": Measure("1 - AUC", below_the_curve, classes=True),
    "rmse": Measure("RMSE", rmse, classes=False),
}


def constant(train: np.ndarray, truth: np.ndarray, classes: bool) -> np.ndarray:
    """Return the prediction that knows the training targets alone: their mean, or the shares of the classes."""
    if not classes:
        return np.full(len(truth), train.mean())
    return np.tile(np.bincount(train) / len(train), (len(truth), 1))
