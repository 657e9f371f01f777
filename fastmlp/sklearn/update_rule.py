"""The optimizer of an estimator, its learning rate in every epoch, and its state between the calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.optimizers import SGD, Adam, AdamW, Optimizer
from fastmlp.schedules import Schedule

SMALLEST_RATE = 1e-6  # as in scikit-learn: learning_rate="adaptive" divides only rates above this one


@dataclass
class UpdateRule:
    """An optimizer, its learning rate and its state. ``partial_fit`` keeps it from call to call.

    Attributes
    ----------
    course : str
        How the learning rate changes: ``"constant"``, ``"invscaling"`` or ``"adaptive"``.
    learning_rate : float
        Learning rate of the next epoch, if there is no schedule.
    state : State or None
        The optimizer's averages after the last call.
    steps : int
        Number of steps so far.
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
        """Return the learning rate of every step of the next epoch."""
        if self.schedule is None:
            return np.full(steps, self.learning_rate)
        return self.schedule.rates_of_epoch(self.steps, steps, epochs)

    def epoch_ended(self, steps: int, samples: int) -> None:
        """Set the rate of the next epoch; `samples` is the number of rows trained on since the first fit."""
        self.steps += steps
        if self.course == "invscaling":
            self.learning_rate = self.initial / (samples + 1) ** self.power

    def slows_down(self) -> bool:
        """Divide an adaptive rate by 5; return whether the rate changed."""
        if self.course != "adaptive" or self.learning_rate <= SMALLEST_RATE:
            return False
        self.learning_rate /= 5
        return True


def update_rule(parameters: Mapping[str, Any]) -> UpdateRule:
    """Return the optimizer that an estimator's parameters describe, before its first step."""
    rate, schedule = float(parameters["learning_rate_init"]), parameters["schedule"]
    varies = parameters["solver"] == "sgd" and schedule is None
    course = parameters["learning_rate"] if varies else "constant"
    return UpdateRule(_optimizer(parameters, rate), course, rate, parameters["power_t"], schedule, rate)


def _optimizer(parameters: Mapping[str, Any], rate: float) -> Optimizer:
    clip_norm = parameters["clip_norm"]
    if parameters["solver"] == "sgd":
        momentum = float(parameters["momentum"])
        nesterov = bool(parameters["nesterovs_momentum"]) and momentum > 0
        return SGD(rate, momentum=momentum, nesterov=nesterov, clip_norm=clip_norm)
    averages = {name: parameters[name] for name in ("beta_1", "beta_2", "epsilon")}
    if parameters["weight_decay"]:
        return AdamW(rate, weight_decay=parameters["weight_decay"], clip_norm=clip_norm, **averages)
    return Adam(rate, clip_norm=clip_norm, **averages)
