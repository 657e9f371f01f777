"""How the gradients that the processes have summed become the gradient of all shards, in every process.

The tree: every process owns a part of the parameters. It gets this part of all processes' sums, adds them in the order
of the tree, and sends the result to all. Both ways together move as much as a ring (Patarasuk and Yuan, "Bandwidth
Optimal All-reduce Algorithms for Clusters of Workstations", 2009) where every process has one node of the tree. MPI
moves the numbers and computes nothing, so its order of reductions does not matter.
"""

from typing import Any

import numpy as np

from fastmlp.engine.shard_update import add_gradients
from fastmlp.engine.sharded import ShardTrainer
from fastmlp.engine.workspace import aligned
from fastmlp.mpi.ranks import Ranks
from fastmlp.mpi.shards import cuts, halves, subtrees


class Allreduce:
    """Leaves the sum to MPI.

    Parameters
    ----------
    ranks : Ranks
        The processes.
    trainer : ShardTrainer
        Of this one, with one shard.
    """

    def __init__(self, ranks: Ranks, trainer: ShardTrainer) -> None:
        self.ranks, self.gradient = ranks, trainer.gradient

    def join(self) -> None:
        """Sum `ShardTrainer.gradient` over all processes."""
        self.ranks.comm.Allreduce(self.ranks.mpi.IN_PLACE, self.gradient)


class Tree:
    """Sums in the tree.

    Parameters
    ----------
    ranks : Ranks
        The processes.
    trainer : ShardTrainer
        Of this one.
    owned : numpy.ndarray (size + 1,)
        Which shards each process has.
    """

    def __init__(self, ranks: Ranks, trainer: ShardTrainer, owned: np.ndarray) -> None:
        self.ranks, self.gradient = ranks, trainer.gradient
        lanes, self.n_shards = trainer.plan.lanes, int(owned[-1])
        self.ends = cuts(len(self.gradient) // lanes, ranks.size) * lanes  # of every process's part of the parameters
        mine = slice(*self.ends[ranks.rank : ranks.rank + 2])
        self.part = self.gradient[mine]
        self.known: dict[tuple[int, int], np.ndarray] = {}
        self.requests: list[Any] = []
        for rank in range(ranks.size):
            nodes = list(subtrees((owned[rank], owned[rank + 1]), 0, self.n_shards))
            if rank == ranks.rank:
                self.known |= {node: sums[mine] for node, sums in zip(nodes, trainer.subtrees, strict=True)}
            else:
                self._exchange_with(rank, nodes, trainer.subtrees)
        for request in self.requests:
            ranks.given_back.callback(request.Free)
        self.sums = self._sums((0, self.n_shards))[1:]

    def _exchange_with(self, rank: int, nodes: list[tuple[int, int]], sums: list[np.ndarray]) -> None:
        """Make the requests that send another process its part, and get the part of this one."""
        comm, theirs = self.ranks.comm, slice(*self.ends[rank : rank + 2])
        for tag, node in enumerate(nodes):
            self.known[node] = aligned(len(self.part), self.part.dtype)
            self.requests.append(comm.Recv_init(self.known[node], rank, tag))
        self.requests += [comm.Send_init(gradient[theirs], rank, tag) for tag, gradient in enumerate(sums)]

    def _sums(self, node: tuple[int, int]) -> list[Any]:
        """Return the buffer of a node, and behind it the sums that fill it: pairs of buffers, the left one takes it."""
        if node in self.known:
            return [self.known[node]]
        middle = halves(*node)
        (left, *below), (right, *besides) = self._sums((node[0], middle)), self._sums((middle, node[1]))
        return [left, *below, *besides, (left, right)]

    def join(self) -> None:
        """Sum `ShardTrainer.subtrees` over all processes into `ShardTrainer.gradient`."""
        if self.ranks.size == 1:
            return
        mpi = self.ranks.mpi
        mpi.Prequest.Startall(self.requests)
        mpi.Request.Waitall(self.requests)
        for number, (left, right) in enumerate(self.sums, start=1):
            add_gradients(self.part if number == len(self.sums) else left, left, right)
        self.ranks.comm.Allgatherv(mpi.IN_PLACE, [self.gradient, np.diff(self.ends).tolist()])


Exchange = Tree | Allreduce
