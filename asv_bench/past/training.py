"""The process of one commit, which trains as every commit of the history can: plain SGD by `fastmlp.train`.

usage: python -m past.training TASK (the fields of the task as JSON)

It speaks as `peers.worker` does: ``{"version": …}`` when it is ready, then the seconds of the quickest epoch.
"""

import sys
from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray
from peers.library import answer, pin, read_fields
from peers.task import Labels, Rates, Task
from peers.worker import time_epochs

import fastmlp


class Past:
    """The training of a task."""

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


def serve(task: Task, requests: Iterable[str]) -> None:
    """Answer `requests`."""
    pin(task.threads)
    training = Past(task)
    training.epoch(0, task.rates(0))
    answer({"version": ""})
    time_epochs(task, training, requests)


if __name__ == "__main__":
    serve(Task(**read_fields(sys.argv[1])), sys.stdin)
