"""How far a training by `fastmlp.train` has come: kept in a checkpoint, and taken up again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp import engine
from fastmlp.checkpoints import Checkpoints, Rates, Saved
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

    def epoch_ended(self) -> None:
        """Take the network as it is, after the record of its epoch."""
        self.finite = self.trainer.snapshot()
        if self.patience is not None and self.patience.is_best(self.history.epochs, self.history.records[-1]):
            self.best = self.finite

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

    def take_up(self, checkpoints: Checkpoints, rates: Rates) -> bool:
        """Go on from the file of an earlier process, where there is one; return whether nothing is left to train.

        Parameters
        ----------
        checkpoints : Checkpoints
            The file.
        rates : callable
            As for `Checkpoints.read`.

        Raises
        ------
        ValueError
            The file is damaged, or of another training; nothing is changed.
        """
        with checkpoints.reading(rates) as saved:
            if saved is None:
                return False
            self._go_on(saved)
            ended = checkpoints.has_ended(saved)
            if ended:
                self.history.stopped_because = saved.facts["stopped_because"]
            elif self.patience is not None and self.patience.exhausted:  # Ctrl-C came behind its last epoch
                self.history.stopped_because, ended = "early stopping", True
            return ended

    def _go_on(self, saved: Saved) -> None:
        records, costs = saved.epochs()
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
        self.history.records, self.history.batch_costs = records, costs
        self.history.seconds = float(records[-1]["seconds"])

    def _snapshot(self, saved: Saved, name: str, state: State) -> "engine.Snapshot":
        return self.trainer.snapshot_of(saved.parameters(name, self.trainer.network.parameters), state)
