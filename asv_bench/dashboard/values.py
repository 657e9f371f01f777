"""The values in one of asv's result files: those that are shown, and notes of those that are left out."""

import itertools
from collections.abc import Iterable
from typing import Any

from asv import util
from asv.benchmarks import Benchmarks
from asv.results import Results

Parameters = tuple[tuple[str, str], ...]  # (name, value as asv writes it: its repr)
Values = dict[Parameters, float]


def of(result: Results, benchmark: dict[str, Any]) -> Values:
    """Return the value of each set of parameters that has one."""
    values = result.get_result_value(benchmark["name"], benchmark["params"])
    return {key: float(value) for key, value in zip(_sets(benchmark), values, strict=True) if not util.is_na(value)}


def gone(results: Iterable[Results], benchmarks: Benchmarks) -> list[str]:
    """Return notes of benchmarks that are not in the suite, or that have changed."""
    deleted, changed = set[str](), dict[str, int]()
    for result in results:
        kept = result.get_result_keys(benchmarks)
        for name in result.get_all_result_keys():
            if name not in benchmarks:
                deleted.add(name)
            elif name not in kept:
                changed[name] = changed.get(name, 0) + 1
    notes = [f"{name}: the benchmark was deleted or renamed" for name in sorted(deleted)]
    old = sorted(changed.items())
    return notes + [f"{name}: results of an earlier version of the benchmark, from {n} commit(s)" for name, n in old]


def failures(result: Results, benchmarks: Benchmarks, commit: str) -> list[str]:
    """Return a note if benchmarks of a commit failed. asv writes null for them, and NaN for those that it skipped."""
    names = result.get_result_keys(benchmarks)
    if not names:
        return [f"commit {commit}: no benchmark of today's suite has a result"]
    failed = [name for name in sorted(names) if _failed(result, benchmarks[name])]
    if failed and not any(of(result, benchmarks[name]) for name in names):
        return [f"commit {commit}: every benchmark failed"]
    return [f"commit {commit}: failed with all or some parameters: {', '.join(failed)}"] if failed else []


def _failed(result: Results, benchmark: dict[str, Any]) -> bool:
    values = result.get_result_value(benchmark["name"], benchmark["params"])
    known = result.get_result_params(benchmark["name"])
    return None in values and known == benchmark["params"]


def _sets(benchmark: dict[str, Any]) -> list[Parameters]:
    names = [str(name) for name in benchmark["param_names"]]
    return [tuple(zip(names, chosen, strict=True)) for chosen in itertools.product(*benchmark["params"])]
