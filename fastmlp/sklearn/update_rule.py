"""The optimizer of an estimator: which one, its learning rate from epoch to epoch, its state between the calls."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp.optimizers import SGD, Adam, AdamW, Optimizer
from fastmlp.schedules import Schedule

if TYPE_CHECKING:
    from fastmlp.sklearn.base import BaseMLP

SMALLEST_RATE = 1e-6  # scikit-learn's: learning_rate="adaptive" ends here


@dataclass
class UpdateRule:
    """An optimizer and where it stands; ``partial_fit`` keeps it from call to call.

    Attributes
    ----------
    course : str
        Of the learning rate: ``"constant"``, ``"invscaling"`` or ``"adaptive"``.
    learning_rate : float
        Of the coming epoch, without a schedule.
    state : engine.State or None
        The optimizer's averages after the last call.
    steps : int
        Done so far.
    """

    optimizer: Optimizer
    course: str
    initial: float
    power: float
    schedule: Schedule | None
    learning_rate: float
    state: Any = None
    steps: int = 0

    def rates(self, steps: int, epochs: int) -> np.ndarray:
        """Return the learning rate of every step of the coming epoch."""
        if self.schedule is None:
            return np.full(steps, self.learning_rate)
        return self.schedule.rates_of_epoch(self.steps, steps, epochs)

    def epoch_ended(self, steps: int, samples: int) -> None:
        """Go on to the next epoch; `samples` is the number of rows trained on since the first fit."""
        self.steps += steps
        if self.course == "invscaling":
            self.learning_rate = self.initial / (samples + 1) ** self.power

    def slows_down(self) -> bool:
        """Take a fifth of the rate where it adapts; say whether it did."""
        if self.course != "adaptive" or self.learning_rate <= SMALLEST_RATE:
            return False
        self.learning_rate /= 5
        return True


def update_rule(estimator: "BaseMLP") -> UpdateRule:
    """Return the optimizer that the estimator's parameters describe, at its start."""
    rate = float(estimator.learning_rate_init)
    varies = estimator.solver == "sgd" and estimator.schedule is None
    course = estimator.learning_rate if varies else "constant"
    optimizer = _optimizer(estimator, rate)
    return UpdateRule(optimizer, course, rate, estimator.power_t, estimator.schedule, rate)


def _optimizer(estimator: "BaseMLP", rate: float) -> Optimizer:
    clip_norm = estimator.clip_norm
    if estimator.solver == "sgd":
        momentum = float(estimator.momentum)
        nesterov = bool(estimator.nesterovs_momentum) and momentum > 0
        return SGD(rate, momentum=momentum, nesterov=nesterov, clip_norm=clip_norm)
    averages = {"beta_1": estimator.beta_1, "beta_2": estimator.beta_2, "epsilon": estimator.epsilon}
    if estimator.weight_decay:
        return AdamW(rate, weight_decay=estimator.weight_decay, clip_norm=clip_norm, **averages)
    return Adam(rate, clip_norm=clip_norm, **averages)
