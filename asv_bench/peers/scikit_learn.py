"""scikit-learn's MLPClassifier, one epoch a call."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from .task import RATE, Labels, Task, Training


class _Classifier:
    def __init__(self, task: Task) -> None:
        self.x, self.y = task.floats()
        self.net = MLPClassifier(
            task.widths[1:-1],
            solver="sgd",
            momentum=0,
            alpha=0,
            learning_rate_init=RATE,
            batch_size=min(task.batch, task.samples),
            max_iter=1,
            warm_start=True,  # the next call goes on; the generator of the first one draws the new order
            random_state=np.random.RandomState(1),
        )

    def epoch(self, seed: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # that one epoch is not enough
            self.net.fit(self.x, self.y)

    def predict(self) -> Labels:
        labels: Labels = self.net.predict(self.x)
        return labels


def make(task: Task) -> Training:
    """Return the training."""
    return _Classifier(task)
