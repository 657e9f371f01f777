"""How far a training by `fastmlp.train` has come: kept in a checkpoint, and taken up again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp import engine
from fastmlp.checkpoints import Checkpoints, Saved
from fastmlp.history import History
from fastmlp.inputs.identity import plain_state, state_like
from fastmlp.optimizers import State
from fastmlp.stopping import Patience


@dataclass
class Course:
    """What changes from epoch to epoch.

    Attributes
    ----------
    trainer : engine.Trainer
        With the network.
    rng : numpy.random.Generator
        Draws the order of the rows.
    history : History
        Of the epochs so far.
    patience : Patience or None
        Where there is a stopping rule.
    finite, best : engine.Snapshot
        The end of the last epoch at which all was finite, and that of the best one.
    """

    trainer: "engine.Trainer"
    rng: np.random.Generator
    history: History
    patience: Patience | None

    def __post_init__(self) -> None:
        self.finite = self.best = self.trainer.snapshot()
        self._spare: engine.Snapshot | None = None  # whose arrays the next one takes

    def epoch_ended(self) -> None:
        """Take the network as it is, after the record of its epoch."""
        before = self.finite, self.best
        self.finite = self.trainer.snapshot(self._spare)
        if self.patience is not None and self.patience.is_best(self.history.epochs, self.history.records[-1]):
            self.best = self.finite
        # what `content` has of the epoch before is replaced before the spare one is written to
        self._spare = next((old for old in before if old is not self.best and old is not self.finite), None)

    def content(self) -> Callable[[], Saved]:
        """Return a function that returns the training as it is now."""
        facts: dict[str, Any] = {"generator": plain_state(self.rng.bit_generator.state)}
        snapshots = {"last": self.finite}
        if self.patience is not None:
            facts["patience"] = self.patience.standing()
            snapshots["best"] = self.best

        def saved() -> Saved:
            found = Saved({"batch_costs": self.history.batch_costs}, {**facts, "records": self.history.records})
            for name, snapshot in snapshots.items():
                found.add(name, snapshot.parameters, self.trainer.state_of(snapshot))
            return found

        return saved

    def take_up(self, checkpoints: Checkpoints, steps: int) -> bool:
        """Go on from a file, by `Checkpoints.take_up`, of a training with so many steps in an epoch."""
        return checkpoints.take_up(self.history, self.trainer.optimizer.schedule, steps, self._go_on, self._why_over)

    def _why_over(self) -> str | None:
        return "early stopping" if self.patience is not None and self.patience.exhausted else None

    def _go_on(self, saved: Saved) -> None:
        state = saved.state("last")
        last = self._snapshot(saved, "last", state)
        best = last if self.patience is None else self._snapshot(saved, "best", saved.state("best"))
        generator = state_like(saved.facts["generator"], self.rng.bit_generator.state)
        if self.patience is not None:
            self.patience.take_up(saved.facts["patience"])
        self.rng.bit_generator.state = generator
        self.trainer.import_state(state)  # with the key of the dropout masks
        self.trainer.restore(last)
        self.finite, self.best = last, best

    def _snapshot(self, saved: Saved, name: str, state: State) -> "engine.Snapshot":
        return self.trainer.snapshot_of(saved.parameters(name, self.trainer.network.parameters), state)
