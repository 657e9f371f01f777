"""Files from which a training goes on after its process has ended: safetensors and JSON, nothing that is executed."""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.alone import Alone
from fastmlp.history import FIELDS, History, Record
from fastmlp.inputs import checks
from fastmlp.inputs.identity import differences
from fastmlp.network.parameters import Parameters
from fastmlp.optimizers import State
from fastmlp.schedules import Schedule
from fastmlp.system.files import replaced_whole
from fastmlp.system.progress import note
from fastmlp.system.warning import warn

FORMAT = "fastmlp-run-1"


@dataclass(frozen=True)
class Saved:
    """A training at the end of an epoch.

    Attributes
    ----------
    arrays : dict of numpy.ndarray
        By name.
    facts : dict
        All else, of what JSON knows.
    """

    arrays: dict[str, np.ndarray]
    facts: dict[str, Any]

    def add(self, name: str, parameters: np.ndarray, state: State) -> None:
        """Add the parameters of a network and what its update rule remembered by then."""
        self.arrays[f"{name}.parameters"] = parameters
        for i, moment in enumerate(state.moments):
            self.arrays[f"{name}.moments.{i}"] = moment
        self.facts[name] = {"steps": state.steps, "key": state.key}

    def parameters(self, name: str, like: Parameters) -> np.ndarray:
        """Return parameters that were added, as a `snapshot` of such a network.

        Raises
        ------
        ValueError
            They are not such a network's, or hold what no training makes.
        """
        found, known = self.arrays[f"{name}.parameters"], like.snapshot()
        if (found.shape, found.dtype) != (known.shape, known.dtype):
            raise ValueError(f"{name}.parameters must be {known.shape} {known.dtype}, got {found.shape} {found.dtype}")
        if not np.isfinite(found).all() or any((var < 0).any() for var in like.views_of(found)["running_vars"]):
            raise ValueError(f"{name}.parameters must be finite and variances at least 0")
        return found

    def epochs(self) -> tuple[list[Record], np.ndarray]:
        """Return the records of the epochs and the costs of their steps."""
        records, costs = self.facts["records"], self.arrays["batch_costs"]
        for number, record in enumerate(records, start=1):
            if record["epoch"] != number or not set(FIELDS) <= set(record):
                raise ValueError(f"record {number} must be that of its epoch, with {list(FIELDS)}, got {record}")
            if not all(value is None or isinstance(value, (int, float)) for value in record.values()):
                raise ValueError(f"record {number} must hold numbers, got {record}")
        if not records or costs.shape != (records[-1]["steps"],) or costs.dtype != np.float64:
            raise ValueError(f"expected the cost of each step, float64, got {costs.shape} {costs.dtype}")
        return list(records), costs

    def state(self, name: str) -> State:
        """Return the state that was added beside parameters."""
        steps, key = (self.facts[name][part] for part in ("steps", "key"))
        if not (isinstance(steps, int) and isinstance(key, int) and 0 <= steps < 1 << 62 and 0 <= key < 1 << 63):
            raise ValueError(f"{name} must have a count of steps and a key, got {self.facts[name]}")
        count = sum(part.startswith(f"{name}.moments.") for part in self.arrays)
        return State(steps, [self.arrays[f"{name}.moments.{i}"] for i in range(count)], key)


class Checkpoints:
    """The file of one training: it is read before the first epoch, and written at the ends of epochs.

    Parameters
    ----------
    path : path-like
        The file.
    asked : dict
        What the training was asked to do, of what JSON knows; the file of one that was asked something else is refused.
    epochs : int
        Epochs that the training has at most.
    every_epochs : int
        Epochs from one writing to the next.
    every_seconds : float or None
        Seconds that lie between them at least.
    place : Alone
        Of several processes, the first one reads and writes.

    Raises
    ------
    ValueError, TypeError, OSError
        An interval is out of its range, or `path` cannot be a file that is written.
    """

    def __init__(
        self,
        path: Any,
        asked: Mapping[str, Any],
        epochs: int,
        every_epochs: int = 1,
        every_seconds: float | None = None,
        *,
        place: Alone = Alone(),  # noqa: B008 - has no state
    ) -> None:
        self.path, self.asked, self.epochs = place.from_first(lambda: _checked(path)), dict(asked), epochs
        self.place = place
        self.every_epochs = checks.count("checkpoint_epochs", every_epochs)
        if every_seconds is not None:
            checks.not_negative("checkpoint_seconds", every_seconds)
        self.every_seconds = every_seconds or 0.0
        self._content: Callable[[], Saved] | None = None
        self._epochs, self._written_at = 0, time.monotonic()
        self._failed = False

    def take_up(
        self,
        history: History,
        schedule: Schedule | None,
        steps: int,
        go_on: Callable[[Saved], None],
        why_over: Callable[[], str | None],
    ) -> bool:
        """Go on from the file of an earlier process, where there is one; return whether nothing is left to train.

        Parameters
        ----------
        history : History
            Takes the records and costs so far, and why the training ended.
        schedule : Schedule or None
            A training may get more epochs than it was begun with where those that are done keep their learning rates.
        steps : int
            Of an epoch.
        go_on : callable
            Takes up the rest; it checks everything before it changes anything.
        why_over : callable
            Returns why there is no further epoch, or None: Ctrl-C may have come behind the last one.

        Raises
        ------
        ValueError
            The file is damaged, or belongs to another training; nothing is changed.
        """
        try:
            saved = self.place.from_first(lambda: self._read(schedule, steps) if self.path.exists() else None)
            if saved is None:
                return False
            records, costs = saved.epochs()
            seconds, reason = float(records[-1]["seconds"]), self._why_ended(saved)
            go_on(saved)
        except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
            raise ValueError(f"checkpoint: {self.path} is damaged: {error!r}") from error
        history.records, history.batch_costs, history.seconds = records, costs, seconds
        reason = reason or why_over()
        if reason is None:
            self._note(f"going on after epoch {len(records)}")
            return False
        self._note(f"this training has ended ({reason}, {len(records)} epochs); remove the file to train anew")
        history.stopped_because = reason
        return True

    def _note(self, text: str) -> None:
        if self.place.first:
            note(f"{self.path}: {text}")

    def _read(self, schedule: Schedule | None, steps: int) -> Saved:
        saved = _read(self.path)
        found = differences(saved.facts["asked"], self.asked)
        if found:
            raise ValueError(
                f"checkpoint: {self.path} belongs to another training: {'; '.join(found)}. Give this training a file "
                "of its own, or remove that one"
            )
        done, planned = len(saved.facts["records"]), saved.facts["epochs"]
        if self.epochs < done:
            why = f"{done} are done"
        elif _keeps_rates(schedule, steps, done, (planned, self.epochs)):
            return saved
        else:
            why = "the learning rates depend on it"
        raise ValueError(f"checkpoint: the training in {self.path} has epochs={planned}, got {self.epochs}; {why}")

    def _why_ended(self, saved: Saved) -> str | None:
        """Return why the training in the file ended, None where it did not or gets more epochs."""
        reason: str | None = saved.facts["stopped_because"]
        return None if reason == "epochs" and len(saved.facts["records"]) < self.epochs else reason

    def epoch_ended(self, content: Callable[[], Saved]) -> None:
        """Take the training as it is now; `content` returns that at any later time."""
        self._content = content
        self._epochs += 1

    @property
    def due(self) -> bool:
        """Whether it is time to write."""
        return self._epochs >= self.every_epochs and time.monotonic() - self._written_at >= self.every_seconds

    def write(self, stopped_because: str | None = None) -> None:
        """Write the training as it was at the end of its last epoch, with the reason for which it ended.

        Where the file cannot be written, the earlier one stays, and a warning says so.
        """
        if not self.place.first or self._content is None or (self._epochs == 0 and stopped_because is None):
            return
        saved = self._content()
        try:
            _write(self.path, saved, {"asked": self.asked, "epochs": self.epochs, "stopped_because": stopped_because})
        except OSError as error:
            if not self._failed:
                warn(f"checkpoint: {self.path} cannot be written ({error}); the earlier one stays", RuntimeWarning)
            self._failed = True
        else:
            self._failed = False
        self._epochs, self._written_at = 0, time.monotonic()


def _keeps_rates(schedule: Schedule | None, steps: int, done: int, epochs: tuple[int, int]) -> bool:
    """Whether the epochs that are done have the same learning rates in trainings of two numbers of epochs."""
    if schedule is None or epochs[0] == epochs[1]:
        return True
    before, now = (schedule.rates(np.arange(done * steps), steps, planned) for planned in epochs)
    return np.array_equal(before, now)


def _checked(path: Any) -> Path:
    try:
        found = Path(path)
    except TypeError as error:
        raise TypeError(f"checkpoint must be the path of a file, got {path!r} ({type(path).__name__})") from error
    if found.is_dir():
        raise IsADirectoryError(f"checkpoint must be the path of a file, got the folder {found}")
    if not found.parent.is_dir():
        raise FileNotFoundError(f"checkpoint: the folder {found.parent} does not exist")
    if not os.access(found.parent, os.W_OK):
        raise PermissionError(f"checkpoint: cannot write in the folder {found.parent}")
    return found


def _write(path: Path, saved: Saved, facts: Mapping[str, Any]) -> None:
    from safetensors.numpy import save

    content = save(saved.arrays, {FORMAT: json.dumps({**saved.facts, **facts})})
    with replaced_whole(path) as temporary:
        temporary.write_bytes(content)


def _read(path: Path) -> Saved:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(FORMAT)
            if text is None:
                raise ValueError(f"checkpoint: {path} is no checkpoint of a training, its metadata lack {FORMAT!r}")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        facts = json.loads(text)
        if not isinstance(facts, dict) or not isinstance(facts.get("asked"), dict):
            raise ValueError(f"checkpoint: {path} does not say what was trained")
    except (SafetensorError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"checkpoint: {path} is not a complete checkpoint: {error}") from error
    return Saved(arrays, facts)
