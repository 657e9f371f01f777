"""The loop around the epochs of a training: `fastmlp.train` and the estimators go through it."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from fastmlp import engine
from fastmlp.history import History, Record, Validation
from fastmlp.system import interrupt
from fastmlp.system.progress import progress_bar

NOT_FINITE = "cost not finite"  # why a training stopped

WithinEpoch: TypeAlias = Callable[[int], None]


class Epoch(NamedTuple):
    """What an epoch gave.

    Attributes
    ----------
    batch_costs : numpy.ndarray
        Mean loss of every mini-batch.
    cost, last_cost : float
        Of the epoch and of its last mini-batch, with the L2 part.
    learning_rate : float or None
        Of its last step.
    validation : Validation
        What the validation rows say of the network behind it.
    """

    batch_costs: np.ndarray
    cost: float
    last_cost: float
    learning_rate: float | None
    validation: Validation

    def record(self, history: History, steps: int, started: float) -> Record:
        """Return the record of this epoch of so many steps, the next one of `history`."""
        return {
            "epoch": history.epochs + 1,
            "steps": history.steps + steps,
            "cost": self.cost,
            "last_cost": self.last_cost,
            **self.validation,
            "learning_rate": self.learning_rate,
            "seconds": time.perf_counter() - started,
        }


def train_epoch(
    trainer: "engine.Trainer", order: np.ndarray, within_epoch: WithinEpoch, **options: Any
) -> np.ndarray | None:
    """Train on the rows `order`; return the mean loss of every mini-batch, None where the training cannot go on."""
    batch_costs = trainer.run_epoch(order, within_epoch, **options)
    interrupt.check()
    finite = np.isfinite(batch_costs).all() and trainer.network.parameters.is_finite()
    return batch_costs if finite else None


def run_epochs(
    history: History,
    epochs: int,
    steps: int,
    one_epoch: Callable[[WithinEpoch], Epoch | None],
    after_epoch: Callable[[Record], str | None],
    *,
    progress: bool | None,
    started: float,
) -> None:
    """Add the records of at most so many epochs to `history`, why they ended, and the seconds.

    Parameters
    ----------
    history : History
        Of the network's training so far.
    epochs, steps : int
        How many epochs, and how many steps each has.
    one_epoch : callable
        Trains for an epoch and tells how many steps are done; returns None where a cost is not finite.
    after_epoch : callable
        Is told the record; returns why the training ends here, or None.
    progress : bool or None
        As for `fastmlp.train`.
    started : float
        When the training began, by ``time.perf_counter()``.
    """
    earlier, costs = history.epochs, [history.batch_costs]
    history.stopped_because = "epochs"
    try:  # around `caught`, whose end hands on a Ctrl-C that nobody has looked at
        with interrupt.caught(), progress_bar(progress, epochs * steps, "step") as bar:
            for done in range(1, epochs + 1):
                epoch = one_epoch(bar.within_epoch)
                if epoch is None:
                    history.stopped_because = NOT_FINITE
                    break
                record = epoch.record(history, steps, started)
                costs.append(epoch.batch_costs)
                history.records.append(record)
                bar.end_epoch(done * steps, record)
                reason = after_epoch(record)
                if reason is not None:
                    history.stopped_because = reason
                    break
                interrupt.check()
    except KeyboardInterrupt:
        history.stopped_because = "interrupted"
    finally:
        history.batch_costs = np.concatenate(costs[: 1 + history.epochs - earlier])
    history.seconds = time.perf_counter() - started
