"""The workers' blocks of one data set: who holds which, and who gets those of a worker that died."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from dask.base import annotate
from dask.delayed import delayed
from distributed import Client, Future, futures_of

from fastmlp.dask.blocks import Summary, make_block, prepare, summarise, target_moments
from fastmlp.dask.homes import deal, held
from fastmlp.dask.partitions import Partitions
from fastmlp.dask.supervision import Supervisor


@dataclass
class Member:
    """Partitions that make up one block, and the worker that has it.

    Attributes
    ----------
    partitions : list of int
        Their numbers.
    worker : str
        Its address.
    threads : int
        With which it trains.
    block, data : Future
        The rows as they were passed, and as the engine takes them.
    rows : int
        How many.
    """

    partitions: list[int]
    worker: str
    threads: int = 1
    block: Future | None = None
    data: Future | None = None
    rows: int = 0


@dataclass(frozen=True)
class Recipe:
    """How blocks become data sets of the engine: the arguments of `prepare`."""

    estimator: Any
    dtype: str
    for_training: bool


class Members:
    """The members of one data set.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    data : Partitions
        To be shared out.
    estimator : fastmlp.sklearn.MLPClassifier or MLPRegressor
        With the number and the names of the features, and no network.
    threads : int or None
        At most this many for each member; None: all that its worker has.
    """

    def __init__(self, client: Client, data: Partitions, estimator: Any, threads: int | None) -> None:
        self.client, self.data, self.estimator, self.threads = client, data, estimator, threads
        self.members: list[Member] = []
        self.recipe: Recipe | None = None

    @property
    def n(self) -> int:
        """How many rows there are."""
        return sum(member.rows for member in self.members)

    def settle(self, supervisor: Supervisor) -> None:
        """Give every partition to the worker that holds it, and begin to make the blocks."""
        workers, holders = self._there(supervisor)
        dealt = deal(len(self.data.parts), list(workers), holders)
        # in the order of their first partitions: nothing may depend on addresses
        found = sorted(dealt.items(), key=lambda item: item[1])
        self.members = [Member(partitions, worker) for worker, partitions in found]
        self._share_threads(workers)
        for member in self.members:
            self._load(member)

    def summaries(self, supervisor: Supervisor, classes: bool) -> list[Summary]:
        """Return what the client must know of each block; members without rows leave."""
        tasks = [self.submit(summarise, member, member.block, classes) for member in self.members]
        found: list[Summary] = supervisor.collect(tasks)
        for member, summary in zip(self.members, found, strict=True):
            member.rows = summary.rows
        self.members = [member for member in self.members if member.rows]
        return [summary for summary in found if summary.rows]

    def prepare(self, recipe: Recipe) -> None:
        """Begin to make what the engine takes."""
        self.recipe = recipe
        for member in self.members:
            self._prepare(member)

    def moments(self) -> list[Future]:
        """Begin to count the targets."""
        return [self.submit(target_moments, member, member.data) for member in self.members]

    def submit(self, function: Any, member: Member, *arguments: Any) -> Future:
        """Have a function called by the worker of a member."""
        return self.client.submit(function, *arguments, workers=[member.worker], pure=False)

    def leave(self, dead: set[str]) -> None:
        """Take the blocks of dead workers for lost, and those that went with what they were made of."""
        for member in self.members:
            cancelled = any(task is not None and task.status == "cancelled" for task in (member.block, member.data))
            if member.worker in dead or cancelled:
                member.worker, member.block, member.data = "", None, None

    def settle_again(self, supervisor: Supervisor) -> None:
        """Give lost blocks to the workers that hold most of their partitions now, or that have the fewest members."""
        orphans = [member for member in self.members if not member.worker]
        if not orphans:
            return
        workers, holders = self._there(supervisor)
        for member in orphans:
            member.worker = self._next_home(member, workers, holders)
        self._share_threads(workers)
        for member in orphans:
            self._load(member)
            if self.recipe is not None:
                self._prepare(member)

    def _there(self, supervisor: Supervisor) -> tuple[dict[str, int], list[list[str]] | None]:
        """Return the workers, and who holds each persisted partition, when all of those are there.

        Raises
        ------
        RuntimeError
            Partitions were lost with a worker, and nobody knows how to compute them again.
        """
        persisted = futures_of(self.data.collections)
        lost = [future for future in persisted if future.status == "cancelled"]
        if lost:
            raise RuntimeError(
                f"{len(lost)} partitions are lost, with their workers or by a restart, and cannot be computed again: "
                "pass collections that Dask knows how to compute, not scattered ones"
            )
        supervisor.wait(persisted)
        return supervisor.workers(), held(self.client, self.data.x)

    def release(self) -> None:
        """Let the workers forget the blocks."""
        for member in self.members:
            member.block = member.data = None

    def _next_home(self, member: Member, workers: dict[str, int], holders: list[list[str]] | None) -> str:
        """Return who holds most of a member's partitions; of equals, who has the fewest members."""

        def preference(worker: str) -> tuple[int, int]:
            has = sum(worker in holders[number] for number in member.partitions) if holders is not None else 0
            return -has, sum(other.worker == worker for other in self.members)

        return min(workers, key=preference)

    def _share_threads(self, workers: dict[str, int]) -> None:
        """Let the members of one worker share its threads."""
        for member in self.members:
            own = workers.get(member.worker, 1)
            beside = sum(other.worker == member.worker for other in self.members)
            member.threads = max(1, min(own, self.threads or own) // beside)

    def _load(self, member: Member) -> None:
        """Have the worker put its partitions together. They stay where they are, if it holds them."""
        name = f"fastmlp-block-{uuid4().hex}"
        parts = [self.data.parts[number] for number in member.partitions]
        block = delayed(make_block, pure=False)(self.estimator, member.partitions, *parts, dask_key_name=name)
        # Only the block is bound: a partition that is not computed yet may be computed anywhere, as a task keeps its
        # first restrictions, and would wait for a dead worker for ever.
        with annotate(workers=defaultdict(list, {name: [member.worker]}).__getitem__):
            member.block = self.client.compute(block)

    def _prepare(self, member: Member) -> None:
        assert self.recipe is not None
        recipe = self.recipe
        member.data = self.submit(prepare, member, member.block, recipe.estimator, recipe.dtype, recipe.for_training)
