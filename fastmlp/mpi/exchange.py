"""How the gradients that the processes have summed become the gradient of all shards, in every process.

The tree: every process owns a part of the parameters. It gets this part of all processes' sums, adds them in the order
of the tree, and gives the result to all. Both ways together move as much as a ring (Patarasuk and Yuan, "Bandwidth
Optimal All-reduce Algorithms for Clusters of Workstations", 2009) where every process has one node of the tree. MPI
moves the numbers and computes nothing, so its order of reductions does not matter.
"""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from fastmlp.engine.shard_update import add_gradients
from fastmlp.engine.sharded import ShardTrainer
from fastmlp.engine.workspace import aligned
from fastmlp.mpi.ranks import Ranks
from fastmlp.mpi.shards import cuts, halves, subtrees

Node = tuple[int, int]  # the first shard of a branch, and the first one behind it


class Exchange(ABC):
    """Makes the gradient of all shards.

    Parameters
    ----------
    ranks : Ranks
        The processes.
    trainer : ShardTrainer
        Of this one.
    """

    def __init__(self, ranks: Ranks, trainer: ShardTrainer) -> None:
        self.ranks, self.gradient = ranks, trainer.gradient

    @abstractmethod
    def join(self) -> None:
        """Sum `ShardTrainer.subtrees` over all processes into `ShardTrainer.gradient`."""


class Allreduce(Exchange):
    """Leaves the sum to MPI; every process has one shard."""

    def join(self) -> None:
        """Sum `ShardTrainer.gradient` over all processes."""
        self.ranks.comm.Allreduce(self.ranks.mpi.IN_PLACE, self.gradient)


class _Tree(Exchange):
    """Sums in the tree; `owned` says which shards each process has ``(size + 1,)``."""

    def __init__(self, ranks: Ranks, trainer: ShardTrainer, owned: np.ndarray) -> None:
        super().__init__(ranks, trainer)
        lanes, n_shards = trainer.plan.lanes, int(owned[-1])
        ends = cuts(len(self.gradient) // lanes, ranks.size) * lanes
        self.parts = [slice(*ends[rank : rank + 2]) for rank in range(ranks.size)]  # of the parameters, by their owner
        self.others = [rank for rank in range(ranks.size) if rank != ranks.rank]
        self.part = self.gradient[self.parts[ranks.rank]]
        self.known: dict[Node, np.ndarray] = {}
        for rank in range(ranks.size):
            for number, node in enumerate(subtrees((owned[rank], owned[rank + 1]), 0, n_shards)):
                if rank == ranks.rank:
                    self.known[node] = trainer.subtrees[number][self.parts[rank]]
                else:
                    self.known[node] = self.sum_of(rank, number)
        self.sums: list[tuple[np.ndarray, ...]] = []  # out, left, right
        if ranks.size > 1:
            self._plan_sum((0, n_shards), self.part)

    @abstractmethod
    def sum_of(self, rank: int, number: int) -> np.ndarray:
        """Return where this process finds its part of another one's sum of a branch."""

    def _plan_sum(self, node: Node, out: np.ndarray | None = None) -> np.ndarray:
        """Note how a node is summed; return where its sum will be."""
        if node in self.known:
            return self.known[node]
        middle = halves(*node)
        left, right = self._plan_sum((node[0], middle)), self._plan_sum((middle, node[1]))
        out = aligned(len(self.part), self.part.dtype) if out is None else out
        self.sums.append((out, left, right))
        return out

    def add(self) -> None:
        """Add what all processes have summed of the own part."""
        for sums in self.sums:
            add_gradients(*sums)


class Messages(_Tree):
    """The tree by messages, between any processes."""

    def __init__(self, ranks: Ranks, trainer: ShardTrainer, owned: np.ndarray) -> None:
        self.requests: list[Any] = []
        super().__init__(ranks, trainer, owned)
        for rank in self.others:
            for number, gradient in enumerate(trainer.subtrees):
                self.requests.append(ranks.comm.Send_init(gradient[self.parts[rank]], rank, number))
        for request in self.requests:
            ranks.given_back.callback(request.Free)

    def sum_of(self, rank: int, number: int) -> np.ndarray:
        """Return memory that a message fills."""
        found = aligned(len(self.part), self.part.dtype)
        self.requests.append(self.ranks.comm.Recv_init(found, rank, number))
        return found

    def join(self) -> None:
        """Send every process its part of all sums, add, and send the own part to all."""
        if self.others:
            mpi = self.ranks.mpi
            mpi.Prequest.Startall(self.requests)
            mpi.Request.Waitall(self.requests)
            self.add()
            self.ranks.comm.Allgatherv(mpi.IN_PLACE, [self.gradient, [part.stop - part.start for part in self.parts]])


class SharedMemory(_Tree):
    """The tree between processes of one machine, which read each other's memory."""

    def __init__(self, ranks: Ranks, trainer: ShardTrainer, owned: np.ndarray) -> None:
        self.window, self.buffers = _shared_buffers(ranks, trainer)
        self.behind, self.n = trainer.place(self.buffers[ranks.rank]), trainer.plan.n_gradient
        super().__init__(ranks, trainer, owned)

    def sum_of(self, rank: int, number: int) -> np.ndarray:
        """Return a part of the other process's memory."""
        start, part = 0 if number == 0 else self.behind + (number - 1) * self.n, self.parts[self.ranks.rank]
        found: np.ndarray = self.buffers[rank][start + part.start : start + part.stop]
        return found

    def join(self) -> None:
        """Add the own part of all sums, and copy the others' parts."""
        self._meet()
        self.add()
        self._meet()
        for rank in self.others:
            self.gradient[self.parts[rank]] = self.buffers[rank][self.parts[rank]]
        self._meet()  # from now on the gradient may be overwritten

    def _meet(self) -> None:
        self.window.Sync()
        self.ranks.comm.Barrier()
        self.window.Sync()


def _shared_buffers(ranks: Ranks, trainer: ShardTrainer) -> tuple[Any, list[np.ndarray]]:
    """Return memory of every process, zeros, which all of them can read and write."""
    dtype = trainer.gradient.dtype
    longest = max(ranks.share(trainer.places * dtype.itemsize))
    size = -(-longest // 4096) * 4096  # whole pages, so that every process's memory starts on a cache line
    window = ranks.mpi.Win.Allocate_shared(size, 1, comm=ranks.comm)
    ranks.given_back.callback(window.Free)
    window.Lock_all()
    ranks.given_back.callback(window.Unlock_all)
    buffers = [np.frombuffer(window.Shared_query(rank)[0], dtype) for rank in range(ranks.size)]
    buffers[ranks.rank][:] = 0
    return window, buffers


def exchange_of(ranks: Ranks, trainer: ShardTrainer, owned: np.ndarray) -> Exchange:
    """Return how the processes exchange gradients."""
    if ranks.processes.reduction == "allreduce":
        return Allreduce(ranks, trainer)
    if ranks.size > 1 and ranks.on_one_machine():
        return SharedMemory(ranks, trainer, owned)
    return Messages(ranks, trainer, owned)
