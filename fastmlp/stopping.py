"""When to stop before the last epoch."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastmlp.history import Record
from fastmlp.inputs import checks

ROUNDING = 1e-12  # a rise of exactly min_delta counts, whatever the rounding of the difference
METRICS = ("accuracy", "cost")
TIES = ("first", "last")
STANDING = ("best_epoch", "_best", "_reference", "_waited")


@dataclass(frozen=True)
class EarlyStopping:
    """Stop when the validation metric no longer improves.

    At the end of an epoch the metric is compared with the best one so far. When it is better by at least `min_delta`
    it becomes the best; after `patience` epochs in a row without that, training stops.

    Parameters
    ----------
    metric : {"accuracy", "cost"} or callable
        Validation accuracy (higher is better) or validation cost (lower is better); or a function that is called as
        ``metric(net, X_val, y_val)`` with the validation rows after every epoch and returns a number, higher is better.
    min_delta : float
        The smallest improvement that counts, at least 0; an equal metric is no improvement.
    patience : int
        Epochs without improvement before stopping, at least 1.
    patience_steps : int, optional
        Patience in optimizer steps; replaces `patience` by ``ceil(patience_steps / steps_per_epoch)`` epochs.
    restore_best : bool
        At the end of training, go back to the parameters of the epoch whose metric was best.
    ties : {"first", "last"}
        Which one of several epochs with the best metric that is.

    Raises
    ------
    ValueError, TypeError
        A parameter is out of its range or of the wrong type.
    """

    metric: str | Callable[[Any, np.ndarray, np.ndarray], float] = "accuracy"
    min_delta: float = 0.001
    patience: int = 10
    patience_steps: int | None = None
    restore_best: bool = True
    ties: str = "first"

    def __post_init__(self) -> None:
        if not callable(self.metric):
            checks.one_of("metric", self.metric, METRICS)
        checks.not_negative("min_delta", self.min_delta)
        checks.count("patience", self.patience)
        if self.patience_steps is not None:
            checks.count("patience_steps", self.patience_steps)
        checks.flag("restore_best", self.restore_best)
        checks.one_of("ties", self.ties, TIES)

    @classmethod
    def report(cls) -> "EarlyStopping":
        """Return the course report's rule: accuracy must rise by 0.001 within 100 steps; the last weights stay."""
        return cls(metric="accuracy", min_delta=0.001, patience_steps=100, restore_best=False)

    def epochs_of_patience(self, steps_per_epoch: int) -> int:
        """Return the patience in epochs.

        Parameters
        ----------
        steps_per_epoch : int
            Optimizer steps of an epoch.
        """
        return self.patience if self.patience_steps is None else math.ceil(self.patience_steps / steps_per_epoch)


@dataclass
class Patience:
    """Follows one training for an `EarlyStopping`: ``best`` epochs and how long ago they were."""

    rule: EarlyStopping
    epochs: int
    best_epoch: int | None = None
    _best: float = field(default=-math.inf)
    _reference: float = field(default=-math.inf)
    _waited: int = 0

    def standing(self) -> dict[str, Any]:
        """Return how far it has come, as values of JSON."""
        values = {name: getattr(self, name) for name in STANDING}
        return {name: None if value == -math.inf else value for name, value in values.items()}

    def take_up(self, standing: Mapping[str, Any]) -> None:
        """Go on from what `standing` returned; ValueError, and no change, where it is something else."""
        found = {name: standing[name] for name in STANDING}
        numbers = (found["_best"], found["_reference"], found["_waited"])
        if not all(value is None or isinstance(value, (int, float)) for value in numbers):
            raise ValueError(f"expected numbers, got {found}")
        best_epoch, waited = found["best_epoch"], found["_waited"]
        if not isinstance(waited, int) or not (best_epoch is None or isinstance(best_epoch, int)):
            raise ValueError(f"expected an epoch and how many have passed, got {found}")
        self.best_epoch, self._waited = best_epoch, waited
        self._best, self._reference = (-math.inf if value is None else float(value) for value in numbers[:2])

    def is_best(self, epoch: int, record: Record) -> bool:
        """Take the record of an epoch; say whether it is the best one so far (by however little)."""
        score = self._score(record)
        improved = score > self._reference and score - self._reference >= self.rule.min_delta - ROUNDING
        self._waited = 0 if improved else self._waited + 1
        if improved:
            self._reference = score
        best = bool(score > self._best or (score == self._best and self.rule.ties == "last"))
        if best:
            self._best, self.best_epoch = score, epoch
        return best

    def _score(self, record: Record) -> float:
        if self.rule.metric == "cost":
            assert record["val_cost"] is not None
            return -record["val_cost"]
        score = record["val_accuracy"] if self.rule.metric == "accuracy" else record["val_score"]
        assert score is not None
        return score

    @property
    def exhausted(self) -> bool:
        """Whether training should stop."""
        return self._waited >= self.epochs
