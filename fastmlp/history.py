"""What a training did, as plain records."""

import csv
import json
import os
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

import numpy as np

from fastmlp.notebook import history_html
from fastmlp.optimizers import State
from fastmlp.system.extras import require
from fastmlp.system.files import replaced_whole

FIELDS = ("epoch", "steps", "cost", "last_cost", "val_cost", "val_accuracy", "learning_rate", "seconds")


class Validation(TypedDict):
    """What validation rows say of a network: None without such rows."""

    val_cost: float | None
    val_accuracy: float | None
    val_score: NotRequired[float | None]


class Record(Validation):
    """The record of an epoch, as `History` describes it."""

    epoch: int
    steps: int
    cost: float
    last_cost: float
    learning_rate: float | None
    seconds: float


@dataclass(repr=False)
class History:
    """The course of one training.

    Attributes
    ----------
    records : list of dict
        One for each finished epoch: ``epoch`` (from 1), ``steps`` and ``seconds`` since the start, ``cost`` (mean
        loss of the epoch's samples as they were trained on, plus ``weight_decay/2 · Σ‖W‖²`` at its end), ``last_cost``
        (the same of the last mini-batch), ``val_cost`` (with the same penalty) and ``val_accuracy`` (None without a
        validation set, or where the outputs are no classes), ``val_score`` (there only
        when the stopping rule has a metric of its own), ``learning_rate`` (of the epoch's last step).
    batch_costs : numpy.ndarray
        Mean loss of every mini-batch, float64, one for each step of the finished epochs.
    stopped_because : str
        ``"epochs"``, ``"early stopping"``, ``"callback"``, ``"interrupted"`` or ``"cost not finite"``.
    best_epoch : int or None
        The epoch with the best validation metric, where training had a stopping rule.
    seconds : float
        Wall time of the whole training.
    state : State or None
        What the optimizer remembers, for ``train(..., state=history.state)``; it belongs to the parameters that the
        network was left with.
    """

    records: list[Record] = field(default_factory=list)
    batch_costs: np.ndarray = field(default_factory=lambda: np.empty(0))
    stopped_because: str = "epochs"
    best_epoch: int | None = None
    seconds: float = 0.0
    state: State | None = None

    def __repr__(self) -> str:
        if not self.records:
            return f"<History without an epoch, ended by {self.stopped_because!r}>"
        last = self.records[-1]
        figures = [
            f"{name} {last[name]:.4g}" for name in ("cost", "val_cost", "val_accuracy") if last[name] is not None
        ]
        done = f"{self.epochs} epochs, {self.steps} steps, {self.seconds:.1f} s, ended by {self.stopped_because!r}"
        return f"<History of {done}: {', '.join(figures)}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the curve of the cost, and the first and last records as a table."""
        return history_html(repr(self).strip("<>"), self.fields, self.records)

    @property
    def epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.records)

    @property
    def fields(self) -> list[str]:
        """Names of the values of a record, in order."""
        return list(self.records[0]) if self.records else list(FIELDS)

    @property
    def steps(self) -> int:
        """Number of optimizer steps in the finished epochs."""
        return self.records[-1]["steps"] if self.records else 0

    def to_jsonl(self, path: str | os.PathLike[str]) -> None:
        """Write the records as JSON lines, one epoch a line.

        Parameters
        ----------
        path : path-like
            The file; an earlier one is replaced whole or not at all.

        Raises
        ------
        OSError
            The file cannot be written; an earlier one stands as it was.
        """
        with replaced_whole(path) as temporary:
            temporary.write_text("".join(json.dumps(record) + "\n" for record in self.records), encoding="utf-8")

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the records as CSV with a header; an absent value is an empty field.

        Parameters
        ----------
        path : path-like
            The file; an earlier one is replaced whole or not at all.

        Raises
        ------
        OSError
            The file cannot be written; an earlier one stands as it was.
        """
        with replaced_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.fields)
            writer.writeheader()
            writer.writerows(self.records)

    def to_frame(self) -> Any:
        """Return the records as a pandas.DataFrame indexed by epoch.

        Raises
        ------
        ImportError
            pandas is not installed (extra ``tables``).
        """
        return require("pandas", extra="tables").DataFrame(self.records, columns=self.fields).set_index("epoch")

    def plot(self) -> Any:
        """Return a matplotlib Figure of the costs and the validation accuracy.

        Raises
        ------
        ImportError
            matplotlib is not installed (extra ``plot``).
        """
        require("matplotlib", extra="plot")
        from fastmlp import plots

        return plots.plot_history(self)
