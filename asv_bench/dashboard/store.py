"""asv's result files, which asv's own classes read: the results of each machine for each commit."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from asv import util
from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.machine import Machine, iter_machine_files
from asv.results import Results, iter_results

Parameters = tuple[tuple[str, str], ...]  # (name, value as asv writes it: its repr)


@dataclass(frozen=True)
class Commit:
    """The results of one commit.

    Attributes
    ----------
    hash : str
        The full hash.
    date : datetime
        Date of the commit.
    values : dict
        For each benchmark's name: the value of each set of parameters that has one.
    """

    hash: str
    date: datetime
    values: dict[str, dict[Parameters, float]]


@dataclass(frozen=True)
class History:
    """The results of one machine in the environment of its newest result. Other environments are not comparable.

    Attributes
    ----------
    machine : dict
        asv's description of the machine.
    environment : str
        asv's name of the environment.
    commits : list of Commit
        Oldest first; at least one.
    """

    machine: dict[str, str]
    environment: str
    commits: list[Commit]

    def having(self, benchmark: str) -> list[Commit]:
        """Return the commits that have a value of `benchmark`."""
        return [commit for commit in self.commits if commit.values.get(benchmark)]


def read(results: Path, conf: Config) -> list[History]:
    """Return the history of every machine. The machine with the newest commit is the first.

    Raises
    ------
    asv.util.UserError
        asv's list of the benchmarks or the description of a machine is missing or not readable.
    """
    conf.results_dir = str(results)
    benchmarks = Benchmarks.load(conf)
    histories = []
    for path in sorted(iter_machine_files(str(results))):
        machine = util.load_json(path, Machine.api_version)
        if not isinstance(machine.get("machine"), str):
            raise util.UserError(f"{path} does not name its machine")
        found = list(iter_results(str(Path(path).parent)))
        if commits := _commits(newest := _newest_environment(found), benchmarks):
            histories.append(History(machine, newest[0].env_name, commits))
    return sorted(histories, key=lambda history: history.commits[-1].date, reverse=True)


def _newest_environment(found: list[Results]) -> list[Results]:
    newest = max(found, key=lambda result: (result.date, max(result.started_at.values(), default=0)), default=None)
    return [result for result in found if newest is not None and result.env_name == newest.env_name]


def _commits(found: Iterable[Results], benchmarks: Benchmarks) -> list[Commit]:
    commits = []
    for result in sorted(found, key=lambda result: int(result.date)):
        # only benchmarks that have not changed since: asv compares the versions of a benchmark
        values = {name: _values(result, benchmarks[name]) for name in result.get_result_keys(benchmarks)}
        if any(values.values()):
            commits.append(Commit(result.commit_hash, datetime.fromtimestamp(result.date / 1000, UTC), values))
    return commits


def _values(result: Results, benchmark: dict[str, list[list[str]]]) -> dict[Parameters, float]:
    names = [str(name) for name in benchmark["param_names"]]
    sets = [tuple(zip(names, values, strict=True)) for values in itertools.product(*benchmark["params"])]
    values = result.get_result_value(benchmark["name"], benchmark["params"])
    return {key: float(value) for key, value in zip(sets, values, strict=True) if not util.is_na(value)}
