"""asv's result files, which asv's own classes read: the results of each machine for each commit."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from asv import util
from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.machine import Machine, iter_machine_files
from asv.results import Results, iter_results_paths

from . import facts, values
from .values import Values

SAME = ("cpu", "num_cpu", "arch")  # facts of a machine: where one differs, it is another machine of this name


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
    values: dict[str, Values]


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
        Oldest first; empty if there is no result.
    left_out : list of str
        Notes of the results that are not shown.
    facts : dict
        What `facts.py` noted in the newest run.
    """

    machine: dict[str, str]
    environment: str
    commits: list[Commit]
    left_out: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

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
    machines = {path: _machine(path) for path in sorted(iter_machine_files(str(results)))}
    histories = [_history(Path(path).parent, machine, benchmarks) for path, machine in machines.items()]
    for name, count in Counter(machine["machine"] for machine in machines.values()).items():
        for history in histories:
            if count > 1 and history.machine["machine"] == name:
                history.left_out.append(f"{count} folders have the name {name}: asv's own graphs show one of them")
    return sorted(histories, key=lambda history: [commit.date for commit in history.commits[-1:]], reverse=True)


def _machine(path: str) -> dict[str, str]:
    machine: dict[str, str] = util.load_json(path, Machine.api_version)
    if not isinstance(machine.get("machine"), str):
        raise util.UserError(f"{path} does not name its machine")
    return machine


def _history(folder: Path, machine: dict[str, str], benchmarks: Benchmarks) -> History:
    found, left_out = _results(folder, machine["machine"])
    ours = [result for result in found if _same(result.params, machine)]
    if others := len(found) - len(ours):
        left_out.append(f"{_counted(others)} of another machine of this name (the CPU, cores or architecture differ)")
    newest = max(ours, key=lambda result: (result.date, max(result.started_at.values(), default=0)), default=None)
    if newest is None:
        return History(machine, "", [], [*left_out, "no results of this machine"])
    chosen = [result for result in ours if result.env_name == newest.env_name]
    if others := len(ours) - len(chosen):
        left_out.append(f"{_counted(others)} in another environment than that of the newest, {newest.env_name}")
    left_out += values.gone(chosen, benchmarks)
    commits = []
    for result in sorted(chosen, key=lambda result: int(result.date)):
        commit = _commit(result, benchmarks)
        left_out += values.failures(result, benchmarks, commit.hash[:8])
        commits += [commit] if any(commit.values.values()) else []
    return History(machine, newest.env_name, commits, left_out, facts.newest(folder))


def _results(folder: Path, name: str) -> tuple[list[Results], list[str]]:
    """Return the results in a folder, and notes of files that cannot be read."""
    found, notes = [], []
    for root, file, _ in iter_results_paths(str(folder)):
        try:
            found.append(Results.load(str(Path(root) / file), machine_name=name))
        except util.UserError as error:
            notes.append(f"the file {file}, which cannot be read: {error}")
    return found, notes


def _same(noted: dict[str, str], machine: dict[str, str]) -> bool:
    """Return whether the facts that a result notes are those of the machine; a fact that one lacks is no difference."""
    return all(not noted.get(key) or not machine.get(key) or noted[key] == machine[key] for key in SAME)


def _counted(number: int) -> str:
    return f"{number} result{'s' * (number > 1)}"


def _commit(result: Results, benchmarks: Benchmarks) -> Commit:
    # only benchmarks that have not changed since: asv compares the versions of a benchmark
    names = sorted(result.get_result_keys(benchmarks))
    shown = {name: values.of(result, benchmarks[name]) for name in names}
    return Commit(result.commit_hash, datetime.fromtimestamp(result.date / 1000, UTC), shown)
