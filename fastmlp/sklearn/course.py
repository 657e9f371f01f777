"""How far a fit by mini-batches has come: kept in a checkpoint, and taken up again."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastmlp.checkpoints import Checkpoints, Saved
from fastmlp.history import History
from fastmlp.inputs.identity import described, plain_state, state_like
from fastmlp.optimizers import State
from fastmlp.sklearn.dataset import ScoredDataset
from fastmlp.sklearn.epochs import Epochs
from fastmlp.sklearn.improvement import Improvement

# parameters that change no bit of what an epoch gives
FREE = {"callbacks", "max_iter", "progress", "threads", "verbose", "warm_start"}
FREE |= {"checkpoint", "checkpoint_epochs", "checkpoint_seconds"}


def checkpoints_of(
    parameters: Mapping[str, Any], data: ScoredDataset, held_out: ScoredDataset | None
) -> Checkpoints | None:
    """Return the file that an estimator's parameters name, None where they name none.

    Raises
    ------
    ValueError, TypeError, OSError
        It cannot be written, or the fit would not be the same when it is called again.
    """
    if parameters["checkpoint"] is None:
        return None
    if parameters["random_state"] is None:
        raise ValueError(
            "checkpoint needs random_state, such as 0, got None: the same call must draw the same rows again"
        )
    asked = {name: value for name, value in parameters.items() if name not in FREE}
    asked |= {"data": data.described(), "validation": held_out and held_out.described()}
    return Checkpoints(
        parameters["checkpoint"],
        described(asked),
        parameters["max_iter"],
        parameters["checkpoint_epochs"],
        parameters["checkpoint_seconds"],
    )


class FitCourse:
    """What changes from epoch to epoch of a fit.

    Parameters
    ----------
    training : Epochs
        With the network, the update rule and the generator.
    curves : Improvement
        Of the losses and scores.
    history : History
        Of the epochs so far.
    tol : float
        What counts as an improvement.
    patience : float
        Epochs without one after which the fit ends.
    """

    def __init__(self, training: Epochs, curves: Improvement, history: History, tol: float, patience: float) -> None:
        self.training, self.curves, self.history, self.tol, self.patience = training, curves, history, tol, patience

    def content(self) -> Callable[[], Saved]:
        """Return a function that returns the fit as it is now."""
        training, curves, rule = self.training, self.curves, self.training.rule
        snapshot, best, positions = training.trainer.snapshot(), curves.best, training.positions
        facts = {
            "generator": plain_state(training.rng.get_state(legacy=False)),
            "rule": {"learning_rate": rule.learning_rate, "steps": rule.steps},
            "waited": curves.waited,
            "weight_squares": float(training.squares[-1]),
        }

        def saved() -> Saved:
            arrays = {"batch_costs": self.history.batch_costs, "positions": positions}
            found = Saved(arrays, {**facts, "records": self.history.records})
            found.add("last", snapshot.parameters, training.trainer.state_of(snapshot))
            if best is not None:
                found.add("best", best, State(0, []))
            return found

        return saved

    def take_up(self, checkpoints: Checkpoints) -> bool:
        """Go on from a file, by `Checkpoints.take_up`."""
        schedule, steps = self.training.rule.schedule, self.training.steps
        return checkpoints.take_up(self.history, schedule, steps, self._go_on, self._why_over)

    def _why_over(self) -> str | None:
        if self.curves.waited <= self.patience:
            return None
        return "early stopping" if self.curves.by_score else "converged"

    def _go_on(self, saved: Saved) -> None:
        training, curves, facts, state = self.training, self.curves, saved.facts, saved.state("last")
        trainer, rule, positions = training.trainer, training.rule, saved.arrays["positions"]
        parameters = trainer.network.parameters
        last = trainer.snapshot_of(saved.parameters("last", parameters), state)
        best = None if curves.best is None else saved.parameters("best", parameters)
        generator = state_like(facts["generator"], training.rng.get_state(legacy=False))
        if not np.array_equal(np.sort(positions), np.arange(training.data.n)) or positions.dtype != np.int64:
            raise ValueError(f"positions must be an order of {training.data.n} rows, int64")
        rate, steps, waited, squares = (
            float(facts["rule"]["learning_rate"]), int(facts["rule"]["steps"]), int(facts["waited"]),
            float(facts["weight_squares"]),
        )  # fmt: skip
        training.rng.set_state(generator)
        trainer.import_state(state)  # with the key of the dropout masks
        trainer.restore(last)
        training.positions, training.squares[-1] = positions, squares
        rule.learning_rate, rule.steps = rate, steps
        for record in facts["records"]:
            curves.add(record["cost"], record.get("val_score"), self.tol)
        curves.waited, curves.best = waited, best
