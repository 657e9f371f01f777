"""asv's result files of commits that were timed in turns: ratios and steps of other libraries, and fastmlp's steps."""

import itertools
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.environment import get_environments
from asv.machine import Machine
from asv.repo import get_repo
from asv.results import Results
from asv.runner import BenchmarkResult
from asv.util import write_json

from . import BATCH, NORM, THREADS
from .commits import Past
from .turns import Timed

RATIO, THEIR_STEP = "libraries.Library.track_ratio", "libraries.Library.track_step"
OUR_STEP = "training.Step.time_steps"
SKIPPED = float("nan")  # as asv writes what was not measured
VERSIONS = {"python": platform.python_version(), "numba": metadata.version("numba")}
ENVIRONMENT = "in-turns-py{python}-numba{numba}".format_map(VERSIONS)  # as asv names its own


@dataclass
class Found:
    """What was timed.

    Attributes
    ----------
    trainings : dict
        For each network and batch: the epochs of commits and libraries.
    steps : dict
        For each network: the calls of the headline benchmark.
    epoch : int
        Rows of an epoch.
    """

    trainings: dict[tuple[str, str], Timed]
    steps: dict[str, Timed]
    epoch: int

    def ratio(self, commit: str, library: str, network: str, batch: str) -> float | None:
        """Return asv's value of a ratio."""
        timed = self.trainings.get((network, batch))
        return _value(timed, (commit, library), lambda timed: timed.ratio(library, commit))

    def their_step(self, commit: str, library: str, network: str, batch: str) -> float | None:
        """Return asv's value of the microseconds of a library's step."""
        steps = -(-self.epoch // int(batch))
        timed = self.trainings.get((network, batch))
        return _value(timed, (commit, library), lambda timed: timed.median(library) / steps * 1e6)

    def our_step(self, commit: str, network: str, *others: str) -> float | None:
        """Return asv's value of the seconds of the headline benchmark."""
        timed = self.steps.get(network) if others == (NORM, str(BATCH), str(THREADS)) else None
        return _value(timed, (commit,), lambda timed: timed.median(commit))


def discover(conf: Config, python: str, commit: str) -> Benchmarks:
    """Write asv's list of the benchmarks and return it."""
    environments = list(get_environments(conf, [f"existing:{python}"]))
    benchmarks = Benchmarks.discover(conf, get_repo(conf), environments, [commit])
    benchmarks.save()
    return benchmarks


def write_machine(results: Path, name: str) -> dict[str, str]:
    """Write asv's description of this machine and return it."""
    facts: dict[str, str] = Machine.get_defaults() | {"machine": name}
    folder = results / name
    folder.mkdir(parents=True, exist_ok=True)
    write_json(str(folder / "machine.json"), facts, Machine.api_version)
    return facts


def save(results: Path, machine: dict[str, str], commits: Sequence[Past], benchmarks: Benchmarks, found: Found) -> None:
    """Write a result file for each commit. What a commit or a library could not do has no value."""
    for commit in commits:
        date = int(commit.date.timestamp() * 1000)
        written = Results(machine | VERSIONS, {}, commit.hash, date, VERSIONS["python"], ENVIRONMENT, {})
        for name, value in ((RATIO, found.ratio), (THEIR_STEP, found.their_step), (OUR_STEP, found.our_step)):
            values = [value(commit.hash, *chosen) for chosen in _sets(benchmarks[name])]
            nothing = [None] * len(values)
            written.add_result(benchmarks[name], BenchmarkResult(values, nothing, nothing, 0, "", None))
        written.save(str(results))


def _sets(benchmark: dict[str, Any]) -> list[tuple[str, ...]]:
    return [tuple(value.strip("'") for value in chosen) for chosen in itertools.product(*benchmark["params"])]


def _value(timed: Timed | None, names: Sequence[str], value: Callable[[Timed], float]) -> float | None:
    """Return asv's value: NaN if it was not asked for or a library is missing, None if it failed."""
    if timed is None:
        return SKIPPED
    if all(name in timed.seconds for name in names):
        return value(timed)
    commit = names[0]
    return None if commit in timed.failed else SKIPPED
