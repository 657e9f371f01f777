"""NumPy, as one writes it by hand: float32, rows are samples, all products by BLAS."""

import numpy as np

from .task import RATE, Floats, Labels, Task, Training


class _Loop:
    def __init__(self, task: Task) -> None:
        self.task = task
        self.x, self.y = task.floats()
        self.hot = np.eye(task.widths[-1], dtype=np.float32)[self.y]
        self.weights = task.weights()
        self.biases = [np.zeros(weight.shape[1], np.float32) for weight in self.weights]

    def epoch(self, seed: int) -> None:
        order = np.random.default_rng(seed).permutation(self.task.samples)
        for start in range(0, len(order), self.task.batch):
            index = order[start : start + self.task.batch]
            self._step(self.x[index], self.hot[index])

    def _step(self, x: Floats, hot: Floats) -> None:
        activations, z = self._forward(x)
        e = np.exp(z - z.max(axis=1, keepdims=True))
        dz = (e / e.sum(axis=1, keepdims=True) - hot) / np.float32(len(x))
        for i in reversed(range(len(self.weights))):
            dweight, dbias = activations[i].T @ dz, dz.sum(axis=0)
            if i > 0:
                dz = (dz @ self.weights[i].T) * (activations[i] > 0)
            self.weights[i] -= np.float32(RATE) * dweight
            self.biases[i] -= np.float32(RATE) * dbias

    def _forward(self, x: Floats) -> tuple[list[Floats], Floats]:
        activations = [x]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            activations.append(np.maximum(activations[-1] @ weight + bias, 0))
        return activations, activations[-1] @ self.weights[-1] + self.biases[-1]

    def predict(self) -> Labels:
        labels: Labels = np.argmax(self._forward(self.x)[1], axis=1)
        return labels


def make(task: Task) -> Training:
    """Return the training."""
    return _Loop(task)
