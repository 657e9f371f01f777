"""Rounds in which commits and libraries take turns, as many as the time allows."""

import contextlib
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from dialogue import CrashError
from peers.process import LibraryProcess, MissingError

FEWEST = 3  # rounds, even if the time is over
STARTERS = 2  # processes that compile at the same time; the turns begin after all of them

Makers = Mapping[str, Callable[[], LibraryProcess]]  # for each commit's hash and each library: starts its process


@dataclass
class Timed:
    """The times of one piece of work.

    Attributes
    ----------
    seconds : dict
        For each hash and each library: the seconds of the quickest call of every round.
    failed : dict
        For each hash and library that could not do it: why.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """Return the median over the rounds."""
        return statistics.median(self.seconds[name])

    def ratio(self, library: str, commit: str) -> float:
        """Return a library's time divided by a commit's: the median over the rounds of the ratio in a round."""
        pairs = zip(self.seconds[library], self.seconds[commit], strict=True)
        return statistics.median(theirs / ours for theirs, ours in pairs)


def in_turns(what: str, makers: Makers, budget: float, until: float) -> Timed:
    """Let all work in turns, `budget` seconds each, until the time `until` of `time.monotonic`."""
    result = Timed()
    with contextlib.ExitStack() as stack:
        workers = dict[str, LibraryProcess]()
        pool = stack.enter_context(ThreadPoolExecutor(STARTERS))
        for name, start in [(name, pool.submit(make)) for name, make in makers.items()]:
            try:
                workers[name] = stack.enter_context(start.result())
            except (MissingError, CrashError) as error:
                result.failed[name] = str(error)
                sys.stderr.write(f"{name[:14]}: {error}\n")
        result.seconds = {name: [] for name in workers}
        rounds = 0
        while workers and (rounds < FEWEST or time.monotonic() < until):
            rounds += 1
            _round(workers, result, budget)
    sys.stderr.write(f"{what}: {rounds} rounds of {len(workers)}\n")
    return result


def _round(workers: dict[str, LibraryProcess], result: Timed, budget: float) -> None:
    for name, worker in list(workers.items()):
        try:
            result.seconds[name].append(worker.best_epoch(budget))
        except CrashError as error:
            result.failed[name] = str(error)
            del workers[name], result.seconds[name]
