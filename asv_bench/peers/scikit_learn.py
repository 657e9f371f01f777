"""scikit-learn's MLPClassifier, with one call for each epoch."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from .task import Labels, Rates, Rule, Task, Training


class _SGD(SGDOptimizer):  # type: ignore[misc]
    """SGD with a rate for every step. scikit-learn changes its rates only after an epoch."""

    def __init__(self, rule: Rule, parameters: Any) -> None:
        super().__init__(parameters, rule.rate, momentum=0, nesterov=False)

    def update_params(self, params: Any, grads: Any) -> None:
        self.learning_rate = next(self.rates)
        super().update_params(params, grads)


class _Adam(AdamOptimizer):  # type: ignore[misc]
    """Adam with a rate for every step. scikit-learn's Adam multiplies `learning_rate_init` by the correction."""

    def __init__(self, rule: Rule, parameters: Any) -> None:
        super().__init__(parameters, rule.rate, rule.beta_1, rule.beta_2, rule.epsilon)

    def update_params(self, params: Any, grads: Any) -> None:
        self.learning_rate_init = next(self.rates)
        super().update_params(params, grads)


OPTIMIZERS = {"sgd": _SGD, "adam": _Adam}


class _Classifier:
    def __init__(self, task: Task) -> None:
        self.task = task
        self.x, self.y = task.floats()
        self.begin(1)

    def begin(self, seed: int) -> None:
        # random_state is a generator: with a number, every call would draw the same order
        rule, batch = self.task.rule, min(self.task.batch, self.task.samples)
        self.net = MLPClassifier(
            self.task.widths[1:-1],
            solver=rule.name,
            alpha=0,
            batch_size=batch,
            random_state=np.random.RandomState(seed),
        )
        # `partial_fit` makes the arrays and takes one step; the initial weights then replace its result
        self.net.partial_fit(self.x[:batch], self.y[:batch], classes=range(self.task.widths[-1]))
        for weight, first in zip(self.net.coefs_, self.task.weights(seed), strict=True):
            weight[...] = first
        for bias in self.net.intercepts_:
            bias[...] = 0
        self.net._optimizer = OPTIMIZERS[rule.name](rule, self.net.coefs_ + self.net.intercepts_)

    def epoch(self, seed: int, rates: Rates) -> None:
        self.net._optimizer.rates = iter(rates.tolist())
        self.net.partial_fit(self.x, self.y)

    def predict(self, x: NDArray[Any]) -> Labels:
        labels: Labels = self.net.predict(x)
        return labels


def make(task: Task) -> Training:
    """Return the training."""
    return _Classifier(task)
