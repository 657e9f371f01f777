"""Rounds in which the libraries take turns, so that noise affects all of them, and the figures from their times."""

import contextlib
import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from . import LIBRARIES, OURS, TORCH_BFLOAT16
from .process import MissingError, Worker
from .task import Task


@dataclass
class Comparison:
    """The times of one task.

    Attributes
    ----------
    task : Task
        What was trained.
    seconds : dict
        For each library: the seconds of the quickest epoch of every round.
    versions, missing : dict
        For each library: its version, or the reason why it is left out.
    """

    task: Task
    seconds: dict[str, list[float]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def microseconds(self, name: str) -> float:
        """Return the microseconds of a step: the median over the rounds of the quickest epoch, divided by its steps."""
        return statistics.median(self.seconds[name]) / self.task.steps * 1e6

    def ratio(self, name: str) -> float:
        """Return the library's time divided by fastmlp's."""
        return self.microseconds(name) / self.microseconds(OURS)

    def peers(self) -> list[str]:
        """Return the libraries that were timed, without fastmlp."""
        return [name for name in self.seconds if LIBRARIES[name].distribution != LIBRARIES[OURS].distribution]

    def best_peer(self) -> str | None:
        """Return the quickest of the peers."""
        return min(self.peers(), key=self.microseconds, default=None)

    def best_torch_bfloat16(self) -> str | None:
        """Return the quicker of PyTorch's two ways to compute in bfloat16."""
        timed = [name for name in TORCH_BFLOAT16 if name in self.seconds]
        return min(timed, key=self.microseconds, default=None)


def compare(task: Task, names: Iterable[str], rounds: int, budget: float) -> Comparison:
    """Time the libraries on one task, `budget` seconds for each in each round."""
    result = Comparison(task)
    with contextlib.ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for name in names:
            try:
                workers[name] = stack.enter_context(Worker(name, task))
            except MissingError as error:
                result.missing[name] = str(error)
        result.versions = {name: worker.version for name, worker in workers.items()}
        result.seconds = in_turns(workers, rounds, budget)
    return result


def in_turns(workers: Mapping[str, Worker], rounds: int, budget: float) -> dict[str, list[float]]:
    """Return the quickest epoch of every round for each library."""
    seconds: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            seconds[name].append(worker.best_epoch(budget))
    return seconds


def geometric_mean(values: list[float]) -> float:
    """Return the n-th root of the product."""
    return math.exp(math.fsum(map(math.log, values)) / len(values))


def compare_all(
    tasks: list[Task], names: list[str], rounds: int, budget: float, finished: Callable[[Comparison], None]
) -> list[Comparison]:
    """Compare task by task and call `finished` after each."""
    results = []
    for task in tasks:
        results.append(compare(task, names, rounds, budget))
        finished(results[-1])
    return results
