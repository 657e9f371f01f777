"""fastmlp, through its public function, with a data set of bytes."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

import fastmlp
from fastmlp.schedules import Rates, Schedule, Steps

from .task import Labels, Rule, Task, Training


@dataclass(frozen=True)
class _Given(Schedule):
    """The given learning rates of the single epoch that a call trains."""

    values: Rates

    def rates(self, steps: Steps, steps_per_epoch: int, epochs: int) -> Rates:
        return self.values[steps]


def _sgd(rule: Rule, schedule: Schedule) -> fastmlp.SGD:
    return fastmlp.SGD(schedule)


def _adam(rule: Rule, schedule: Schedule) -> fastmlp.Adam:
    return fastmlp.Adam(schedule, beta_1=rule.beta_1, beta_2=rule.beta_2, epsilon=rule.epsilon)


OPTIMIZERS = {"sgd": _sgd, "adam": _adam}


class _Ours:
    def __init__(self, task: Task) -> None:
        self.task = task
        # early commits do not have the argument; they can train in float32
        precision = task.matmul_precision
        self.products: dict[str, Any] = {} if precision == "float32" else {"matmul_precision": precision}
        self.x, self.y = task.rows()
        self.optimizer = OPTIMIZERS[task.rule.name]
        self.begin(1)

    def begin(self, seed: int) -> None:
        self.net = fastmlp.MLP(self.task.widths, input_scale=self.task.scale)
        for weight, first in zip(self.net.weights, self.task.weights(seed), strict=True):
            weight[...] = first
        self.state: Any = None

    def epoch(self, seed: int, rates: Rates) -> None:
        history = fastmlp.train(
            self.net,
            self.x,
            self.y,
            validation=None,
            optimizer=self.optimizer(self.task.rule, _Given(rates)),
            state=self.state,
            batch_size=self.task.batch,
            epochs=1,
            seed=seed,
            threads=self.task.threads,
            progress=False,
            **self.products,
        )
        self.state = history.state

    def predict(self, x: NDArray[Any]) -> Labels:
        labels: Labels = self.net.predict(x, threads=self.task.threads, **self.products)
        return labels


def make(task: Task) -> Training:
    """Return the training."""
    return _Ours(task)
