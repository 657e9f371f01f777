"""fastmlp as every commit of its history can be used: plain SGD by `fastmlp.train`, an epoch a call."""

from typing import Any

from numpy.typing import NDArray

import fastmlp

from .task import Labels, Rates, Task, Training


class _Past:
    def __init__(self, task: Task) -> None:
        self.task = task
        self.x, self.y = task.rows()
        self.begin(1)

    def begin(self, seed: int) -> None:
        self.net = fastmlp.MLP(self.task.widths, input_scale=self.task.scale)
        for weight, first in zip(self.net.weights, self.task.weights(seed), strict=True):
            weight[...] = first

    def epoch(self, seed: int, rates: Rates) -> None:
        fastmlp.train(
            self.net,
            self.x,
            self.y,
            validation=None,
            optimizer=fastmlp.SGD(float(rates[0])),
            batch_size=self.task.batch,
            epochs=1,
            seed=seed,
            threads=self.task.threads,
            progress=False,
        )

    def predict(self, x: NDArray[Any]) -> Labels:
        labels: Labels = self.net.predict(x)
        return labels


def make(task: Task) -> Training:
    """Return the training."""
    return _Past(task)
