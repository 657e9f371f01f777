"""Learning-rate schedules: the rate of every step of a training, as plain settings for an optimizer."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.inputs import checks

Rates = NDArray[np.float64]
Steps = NDArray[np.int64]
MOST_CYCLES = 50  # of `CosLog`: a training of fewer than 2^50 steps has no first cycle of one step


class Schedule(ABC):
    """The learning rate as a function of the step; what an optimizer takes in place of a number."""

    @abstractmethod
    def rates(self, steps: Steps, steps_per_epoch: int, epochs: int) -> Rates:
        """Return the rates of some steps.

        Parameters
        ----------
        steps : numpy.ndarray (n,)
            Numbers of the steps, from 0 at the start of the training.
        steps_per_epoch : int
            Steps of an epoch.
        epochs : int
            Epochs that the training has at most.

        Returns
        -------
        numpy.ndarray (n,)
            A rate for each of the steps, finite and at least 0.
        """

    def rates_of_epoch(self, first: int, steps_per_epoch: int, epochs: int) -> Rates:
        """Return the rates of the epoch that begins with the step `first`.

        Parameters
        ----------
        first : int
            Number of the step, from 0 at the start of the training.
        steps_per_epoch, epochs : int
            As for `rates`.

        Returns
        -------
        numpy.ndarray (steps_per_epoch,)
            Checked, float64.

        Raises
        ------
        ValueError
            `rates` gives another number of rates, or one that is negative or not finite.
        """
        steps = np.arange(first, first + steps_per_epoch)
        found = np.ascontiguousarray(self.rates(steps, steps_per_epoch, epochs), np.float64)
        if found.shape != steps.shape or not (np.isfinite(found) & (found >= 0)).all():
            raise ValueError(
                f"{self!r} must give {steps.size} finite rates of at least 0 for the steps from {first} on, got shape "
                f"{found.shape} with values from {found.min(initial=np.inf)} to {found.max(initial=-np.inf)}"
            )
        return found


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate for all steps.

    Parameters
    ----------
    rate : float
        Above 0.
    """

    rate: float

    def __post_init__(self) -> None:
        checks.positive("rate", self.rate)

    def rates(self, steps: Steps, steps_per_epoch: int, epochs: int) -> Rates:
        """Return the rates of some steps."""
        return np.full(len(steps), float(self.rate))


@dataclass(frozen=True)
class StepDecay(Schedule):
    """``rate · factor^⌊epoch / every⌋``, epochs counted from 0.

    Parameters
    ----------
    rate : float
        Of the first epochs, above 0.
    factor : float
        Above 0.
    every : int
        Epochs from one change to the next.
    """

    rate: float
    factor: float = 0.1
    every: int = 10

    def __post_init__(self) -> None:
        checks.positive("rate", self.rate)
        checks.positive("factor", self.factor)
        checks.count("every", self.every)

    def rates(self, steps: Steps, steps_per_epoch: int, epochs: int) -> Rates:
        """Return the rates of some steps."""
        factors: Rates = np.power(np.float64(self.factor), steps // steps_per_epoch // self.every)
        return self.rate * factors


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from `rate` at the first step to `final` behind the last.

    Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), without the restarts.

    Parameters
    ----------
    rate : float
        Above 0.
    final : float
        At least 0.
    """

    rate: float
    final: float = 0.0

    def __post_init__(self) -> None:
        checks.positive("rate", self.rate)
        checks.not_negative("final", self.final)

    def rates(self, steps: Steps, steps_per_epoch: int, epochs: int) -> Rates:
        """Return the rates of some steps."""
        return _cosine(self.rate, self.final, steps / (steps_per_epoch * epochs))


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up to `peak` and down again, each by half a cosine.

    Smith and Topin, "Super-Convergence" (2018), with the defaults of PyTorch's ``OneCycleLR``, whose peak lies
    up to a step earlier.

    Parameters
    ----------
    peak : float
        The highest rate, above 0.
    warmup : float
        Fraction of the steps that lead up, above 0 and below 1.
    start_divisor : float
        The first step has ``peak / start_divisor``; above 0.
    final_divisor : float
        The last step has ``peak / start_divisor / final_divisor``; above 0.
    """

    peak: float
    warmup: float = 0.3
    start_divisor: float = 25.0
    final_divisor: float = 1e4

    def __post_init__(self) -> None:
        checks.positive("peak", self.peak)
        checks.inside_unit_interval("warmup", self.warmup)
        checks.positive("start_divisor", self.start_divisor)
        checks.positive("final_divisor", self.final_divisor)

    def rates(self, steps: Steps, steps_per_epoch: int, epochs: int) -> Rates:
        """Return the rates of some steps."""
        last = max(1, steps_per_epoch * epochs - 1)
        top = self.warmup * last
        start = self.peak / self.start_divisor
        up = _cosine(start, self.peak, steps / top)
        down = _cosine(self.peak, start / self.final_divisor, (steps - top) / (last - top))
        return np.where(steps <= top, up, down)


@dataclass(frozen=True)
class CosLog(Schedule):
    """``peak · (1 - cos(2π · log₂(1 + (2^cycles - 1) · t))) / 2`` at the share t of the training's steps.

    The rate goes up from 0 and down to 0 `cycles` times, each time by a whole cosine, and each time takes twice as many
    steps as the one before. With four cycles it is the schedule coslog₄ of Holzmüller, Grinsztajn and Steinwart,
    "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data" (2024). The first step has the rate 0.

    Parameters
    ----------
    peak : float
        The highest rate, above 0.
    cycles : int
        How often the rate goes up and down, at least 1 and at most 50.
    """

    peak: float
    cycles: int = 4

    def __post_init__(self) -> None:
        checks.positive("peak", self.peak)
        if checks.count("cycles", self.cycles) > MOST_CYCLES:
            raise ValueError(f"cycles must be at most {MOST_CYCLES}, got {self.cycles}")

    def rates(self, steps: Steps, steps_per_epoch: int, epochs: int) -> Rates:
        """Return the rates of some steps."""
        share = steps / (steps_per_epoch * epochs)
        return _cosine(0.0, self.peak, 2 * np.log2(1 + (2.0**self.cycles - 1) * share))


@dataclass(frozen=True)
class InverseScaling(Schedule):
    """``rate / (1 + step)^power``, steps counted from 0.

    Parameters
    ----------
    rate : float
        Of the first step, above 0.
    power : float
        At least 0.
    """

    rate: float
    power: float = 0.5

    def __post_init__(self) -> None:
        checks.positive("rate", self.rate)
        checks.not_negative("power", self.power)

    def rates(self, steps: Steps, steps_per_epoch: int, epochs: int) -> Rates:
        """Return the rates of some steps."""
        divisors: Rates = np.power(1.0 + steps, self.power)
        return self.rate / divisors


def _cosine(start: float, end: float, share: NDArray[Any]) -> Rates:
    """From `start` at 0 to `end` at 1."""
    return end + (start - end) * (1 + np.cos(np.pi * share)) / 2
