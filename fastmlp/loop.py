"""The loop around the epochs of a training: `fastmlp.train` and the estimators go through it."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from fastmlp import engine
from fastmlp.alone import Alone
from fastmlp.checkpoints import Checkpoints
from fastmlp.history import History, Record, Validation
from fastmlp.system import interrupt
from fastmlp.system.progress import progress_bar

NOT_FINITE, INTERRUPTED = "cost not finite", "interrupted"  # why a training stopped

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


class Extent(NamedTuple):
    """How long a training is: its epochs at most, the steps of each, and how many epochs are done."""

    epochs: int
    steps: int
    done: int = 0


def run_epochs(
    history: History,
    extent: Extent,
    one_epoch: Callable[[WithinEpoch], Epoch | None],
    after_epoch: Callable[[Record], str | None],
    *,
    checkpoints: Checkpoints | None,
    progress: bool | None,
    started: float,
    place: Alone = Alone(),  # noqa: B008 - has no state
) -> None:
    """Add the records of the epochs to come to `history`, why they ended, and the seconds.

    Parameters
    ----------
    history : History
        Of the network's training so far.
    extent : Extent
        How many epochs.
    one_epoch : callable
        Trains for an epoch and tells how many steps are done; returns None where a cost is not finite.
    after_epoch : callable
        Is told the record; returns why the training ends here, or None.
    checkpoints : Checkpoints or None
        Are written when they are due, and at the end; `after_epoch` has given them what to write.
    progress : bool or None
        As for `fastmlp.train`.
    started : float
        When the training began, by ``time.perf_counter()``.
    place : Alone
        Of several processes, the first one shows the bar.
    """
    earlier, costs, steps = history.epochs, [history.batch_costs], extent.steps
    history.stopped_because = "epochs"
    try:  # around `caught`, whose end hands on a Ctrl-C that nobody has looked at
        with interrupt.caught(), progress_bar(progress if place.first else False, extent.epochs * steps, "step") as bar:
            bar.begin(extent.done * steps)
            for done in range(extent.done + 1, extent.epochs + 1):
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
                if checkpoints is not None and checkpoints.due:
                    earlier, costs = history.epochs, [np.concatenate(costs)]
                    history.batch_costs = costs[0]
                    checkpoints.write()
                place.check()
    except KeyboardInterrupt:
        history.stopped_because = INTERRUPTED
    finally:
        history.batch_costs = np.concatenate(costs[: 1 + history.epochs - earlier])
    history.seconds = time.perf_counter() - started
    if checkpoints is not None:
        checkpoints.write(None if history.stopped_because == INTERRUPTED else history.stopped_because)
