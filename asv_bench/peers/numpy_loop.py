"""A training loop in NumPy, as a user would write it: float32, rows are samples, BLAS computes all products."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .task import Floats, Labels, Rates, Rule, Task, Training


class _SGD:
    def __init__(self, rule: Rule, parameters: list[Floats]) -> None:
        self.parameters = parameters

    def begin_epoch(self, rates: Rates) -> Rates:
        return rates

    def update(self, gradients: list[Floats], rate: float) -> None:
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter -= rate * gradient


class _Adam:
    """Adam in place, with three temporary arrays for each parameter."""

    def __init__(self, rule: Rule, parameters: list[Floats]) -> None:
        self.rule, self.parameters, self.done = rule, parameters, 0
        self.moments = [(np.zeros_like(parameter), np.zeros_like(parameter)) for parameter in parameters]

    def begin_epoch(self, rates: Rates) -> Rates:
        sizes = self.rule.adam_step_sizes(rates, self.done)
        self.done += len(rates)
        return sizes

    def update(self, gradients: list[Floats], rate: float) -> None:
        beta_1, beta_2, epsilon = self.rule.beta_1, self.rule.beta_2, self.rule.epsilon
        for parameter, gradient, (m, v) in zip(self.parameters, gradients, self.moments, strict=True):
            m += (1 - beta_1) * (gradient - m)
            v *= beta_2
            v += (1 - beta_2) * np.square(gradient)
            root = np.sqrt(v)
            root += epsilon
            parameter -= rate * m / root


OPTIMIZERS: dict[str, Any] = {"sgd": _SGD, "adam": _Adam}


class _Loop:
    def __init__(self, task: Task) -> None:
        self.task = task
        self.x, self.y = task.floats()
        self.hot = np.eye(task.widths[-1], dtype=np.float32)[self.y]
        self.begin(1)

    def begin(self, seed: int) -> None:
        self.weights = self.task.weights(seed)
        self.biases = [np.zeros(weight.shape[1], np.float32) for weight in self.weights]
        self.optimizer = OPTIMIZERS[self.task.rule.name](self.task.rule, self.weights + self.biases)

    def epoch(self, seed: int, rates: Rates) -> None:
        order = np.random.default_rng(seed).permutation(self.task.samples)
        sizes = self.optimizer.begin_epoch(rates).tolist()  # with NumPy's float64 numbers, arrays would become float64
        for start, rate in zip(range(0, len(order), self.task.batch), sizes, strict=True):
            index = order[start : start + self.task.batch]
            self.optimizer.update(self._gradients(self.x[index], self.hot[index]), rate)

    def _gradients(self, x: Floats, hot: Floats) -> list[Floats]:
        activations, z = self._forward(x)
        e = np.exp(z - z.max(axis=1, keepdims=True))
        dz = (e / e.sum(axis=1, keepdims=True) - hot) / np.float32(len(x))
        dweights, dbiases = list[Floats](), list[Floats]()
        for i in reversed(range(len(self.weights))):
            dweights.insert(0, activations[i].T @ dz)
            dbiases.insert(0, dz.sum(axis=0))
            if i > 0:
                dz = (dz @ self.weights[i].T) * (activations[i] > 0)
        return dweights + dbiases

    def _forward(self, x: Floats) -> tuple[list[Floats], Floats]:
        activations = [x]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            activations.append(np.maximum(activations[-1] @ weight + bias, 0))
        return activations, activations[-1] @ self.weights[-1] + self.biases[-1]

    def predict(self, x: NDArray[Any]) -> Labels:
        labels: Labels = np.argmax(self._forward(x)[1], axis=1)
        return labels


def make(task: Task) -> Training:
    """Return the training."""
    return _Loop(task)
