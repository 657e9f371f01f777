"""scikit-learn's MLPClassifier with its defaults: Adam, mini-batches of 200 rows."""

import warnings
from functools import partial
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from .job import Job, Model


class Classifier:
    """An estimator with scikit-learn's parameters. A fit never ends before its last epoch."""

    def __init__(self, kind: Any, job: Job) -> None:
        self.kind, self.job = kind, job

    def fit(self, x: np.ndarray, y: np.ndarray, epochs: int, state: int) -> int:
        """Train from the start."""
        self.net = self.kind(self.job.hidden, max_iter=epochs, n_iter_no_change=epochs, random_state=state)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it warns that so few epochs are not enough
            self.net.fit(x, y)
        return int(self.net.n_iter_)

    def score(self, x: np.ndarray, y: np.ndarray) -> float:
        """Return the accuracy."""
        return float(self.net.score(x, y))

    def predictor(self, x: np.ndarray) -> Any:
        """Return a call of ``predict_proba``."""
        return partial(self.net.predict_proba, x)


def make(job: Job) -> Model:
    """Return the estimator."""
    return Classifier(MLPClassifier, job)
