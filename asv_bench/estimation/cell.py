"""The measurements of estimators, which take turns on one data set with one network and one dtype."""

import contextlib
import json
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field

from peers.process import LibraryProcess, MissingError

from . import OURS, PREDICTORS, THEIRS
from .job import Job

CALLS = {1: 300, 10_000: 5}  # for each number of rows: the number of predictions in a round


@dataclass
class Cell:
    """The measurements of one data set, network and dtype.

    Attributes
    ----------
    data : str
        Name of the data set.
    job : Job
        The file of the data set, the dtype and the network.
    found : dict
        For each estimator: a value for each round or random state.
    versions, missing : dict
        For each library: its version, or the reason why it is left out.
    """

    data: str
    job: Job
    found: dict[str, list[float]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """Return the median of an estimator's values."""
        return statistics.median(self.found[name])

    def ratio(self, name: str = THEIRS) -> float:
        """Return the median over the rounds of an estimator's time divided by fastmlp's time in the same round."""
        return statistics.median(b / a for a, b in zip(self.found[OURS], self.found[name], strict=True))

    @contextlib.contextmanager
    def processes(self, names: Iterable[str]) -> Iterator[Mapping[str, LibraryProcess]]:
        """Start the processes of the libraries that are installed."""
        with contextlib.ExitStack() as stack:
            found: dict[str, LibraryProcess] = {}
            for name in names:
                command = [sys.executable, "-m", "estimation.worker", name, json.dumps(asdict(self.job))]
                try:
                    process = LibraryProcess(PREDICTORS[name].label, command, self.job.threads)
                except MissingError as error:
                    self.missing[PREDICTORS[name].label] = str(error)
                else:
                    found[name] = stack.enter_context(process)
                    self.versions[PREDICTORS[name].distribution] = process.version
            yield found


def seconds_of_an_epoch(cell: Cell, names: Iterable[str], rounds: int, epochs: int) -> None:
    """Time whole fits, in which the estimators take turns. A fit that ended early is an error."""
    with cell.processes(names) as processes:
        for i in range(rounds):
            for name, process in processes.items():
                seconds, done = process.ask(["fit", epochs, i])
                if done != epochs:
                    raise RuntimeError(f"{PREDICTORS[name].label}: {done} epochs instead of {epochs}")
                cell.found.setdefault(name, []).append(seconds / epochs)


def scores(cell: Cell, names: Iterable[str], states: int, epochs: int) -> None:
    """Fit with several random states and measure the accuracy on the test rows."""
    with cell.processes(names) as processes:
        for state in range(states):
            for name, process in processes.items():
                process.ask(["fit", epochs, state])
                cell.found.setdefault(name, []).append(process.ask(["score"]))


def seconds_of_a_prediction(cell: Cell, names: Iterable[str], rounds: int, rows: int) -> None:
    """Time predictions, in which the estimators take turns."""
    with cell.processes(names) as processes:
        for _ in range(rounds):
            for name, process in processes.items():
                cell.found.setdefault(name, []).append(process.ask(["predict", rows, CALLS[rows]]))
