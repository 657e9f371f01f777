"""Which worker holds which partition, and who gets those that nobody holds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from dask._task_spec import convert_legacy_graph
from distributed import Client, futures_of


def sources(collection: Any) -> list[frozenset[Any]]:
    """Return for each partition the keys of the results on the cluster that it is made of.

    They are those of a persisted collection, also where more was done with it since; none for a collection that is
    computed from elsewhere.
    """
    known = {future.key for future in futures_of(collection)}
    if hasattr(collection, "optimize"):
        collection = collection.optimize()
    graph = convert_legacy_graph(dict(collection.__dask_graph__()))
    found: dict[Any, frozenset[Any]] = {}
    return [_behind(key, graph, known, found) for key in _flat(collection.__dask_keys__())]


def _flat(keys: Any) -> list[Any]:
    return [found for item in keys for found in _flat(item)] if isinstance(keys, list) else [keys]


def _behind(key: Any, graph: Mapping[Any, Any], known: set[Any], found: dict[Any, frozenset[Any]]) -> frozenset[Any]:
    """Return the known keys that a key depends on, itself included."""
    pending = [key]
    while pending:  # no recursion: a graph may be deeper than Python's stack
        last = pending[-1]
        dependencies = () if last in known or last not in graph else graph[last].dependencies
        missing = [name for name in dependencies if name not in found]
        if missing:
            pending += missing
            continue
        own = frozenset([last]) if last in known else frozenset()
        found[last] = own.union(*(found[name] for name in dependencies))
        pending.pop()
    return found[key]


def held(client: Client, collection: Any) -> list[list[str]] | None:
    """Return for each partition the addresses of the workers that hold most of it; None where none is held."""
    behind = sources(collection)
    keys = frozenset().union(*behind)
    if not keys:
        return None
    futures = [future for future in futures_of(collection) if future.key in keys]
    where = client.who_has(futures)
    return [_most(keys_of_part, where) for keys_of_part in behind]


def _most(keys: frozenset[Any], where: Mapping[Any, Sequence[str]]) -> list[str]:
    holders = [worker for key in keys for worker in where.get(key) or ()]
    counts = {worker: holders.count(worker) for worker in sorted(holders)}
    return [worker for worker, count in counts.items() if count == max(counts.values())]


def deal(n_partitions: int, workers: Sequence[str], holders: list[list[str]] | None) -> dict[str, list[int]]:
    """Return the partitions of each worker that gets any, by its address.

    A partition goes to a worker that holds it; of several, to the one that has the fewest. Partitions that nobody holds
    are dealt in runs of neighbours, as many to each worker as to the next: so they do not depend on who is quicker.

    Parameters
    ----------
    n_partitions : int
        How many.
    workers : sequence of str
        Addresses of the workers that are there, at least one.
    holders : list of list of str, or None
        For each partition the addresses of who holds it, as `held` returns them.
    """
    if holders is None:
        runs = np.array_split(np.arange(n_partitions), len(workers))
        return {worker: run.tolist() for worker, run in zip(workers, runs, strict=True) if len(run)}
    dealt: dict[str, list[int]] = {worker: [] for worker in workers}
    for number, candidates in enumerate(holders):
        there = [worker for worker in candidates if worker in dealt] or list(workers)
        dealt[min(there, key=lambda worker: len(dealt[worker]))].append(number)
    return {worker: numbers for worker, numbers in dealt.items() if numbers}
