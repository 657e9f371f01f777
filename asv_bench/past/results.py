"""asv's result files of commits that were timed in turns: the ratios and the steps of `benchmarks/libraries.py`."""

import itertools
import platform
from collections.abc import Sequence
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

from .commits import Past
from .turns import Timed

RATIO, STEP = "libraries.Library.track_ratio", "libraries.Library.track_step"
ENVIRONMENT = "in-turns"


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


def save(
    results: Path, machine: dict[str, str], commits: Sequence[Past], benchmarks: Benchmarks, timed: Sequence[Timed]
) -> None:
    """Write a result file for each commit. A task that a commit or a library could not do has no value."""
    by_task = {(result.task.name, str(result.task.batch)): result for result in timed}
    versions = {"python": platform.python_version(), "numba": metadata.version("numba")}
    for commit in commits:
        date = int(commit.date.timestamp() * 1000)
        found = Results(machine | versions, {}, commit.hash, date, versions["python"], ENVIRONMENT, {})
        for name in (RATIO, STEP):
            values = [_value(name, by_task, commit.hash, *chosen) for chosen in _sets(benchmarks[name])]
            nothing = [None] * len(values)
            found.add_result(benchmarks[name], BenchmarkResult(values, nothing, nothing, 0, "", None))
        found.save(str(results))


def _sets(benchmark: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(library.strip("'"), network.strip("'"), batch)
            for library, network, batch in itertools.product(*benchmark["params"])]  # fmt: skip


def _value(
    benchmark: str, timed: dict[tuple[str, str], Timed], commit: str, library: str, network: str, batch: str
) -> float | None:
    """Return asv's value: None if it failed, NaN if it was skipped."""
    result = timed.get((network, batch))
    if result is None or (library not in result.seconds and commit not in result.failed):
        return float("nan")
    if commit not in result.seconds or library not in result.seconds:
        return None
    return result.ratio(library, commit) if benchmark == RATIO else result.microseconds(library)
