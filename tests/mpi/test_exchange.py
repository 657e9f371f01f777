"""The sum of several processes' gradients, with threads in the place of processes."""

import threading
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from reference import sum_of_neighbours

from fastmlp.engine.workspace import aligned
from fastmlp.mpi.exchange import Messages
from fastmlp.mpi.shards import cuts, subtrees

LANES = 16


class Communicator:
    """The calls of MPI that `Messages` make, between threads that share `sent` and wait at a barrier."""

    def __init__(self, rank, all_together):
        self.rank, self.together = rank, all_together

    def Send_init(self, values, rank, tag):  # noqa: N802 - MPI's name
        return SimpleNamespace(sends=True, key=(self.rank, rank, tag), values=values, Free=None)

    def Recv_init(self, values, rank, tag):  # noqa: N802
        return SimpleNamespace(sends=False, key=(rank, self.rank, tag), values=values, Free=None)

    def start(self, requests):
        self.together.sent |= {request.key: request.values for request in requests if request.sends}

    def wait(self, requests):
        self.together.barrier.wait()
        for request in requests:
            if not request.sends:
                request.values[:] = self.together.sent[request.key]
        self.together.barrier.wait()

    def Allgatherv(self, _, received):  # noqa: N802
        gradient, counts = received
        ends = np.concatenate([[0], np.cumsum(counts)])
        part = slice(*ends[self.rank : self.rank + 2])
        self.together.parts[self.rank] = gradient[part].copy()
        self.together.barrier.wait()
        for rank, (first, last) in enumerate(pairwise(ends)):
            gradient[first:last] = self.together.parts[rank]


@pytest.mark.parametrize(("n_shards", "size"), [(1, 1), (2, 2), (8, 2), (8, 3), (8, 4), (13, 4), (7, 7), (16, 5)])
def test_every_process_gets_the_sum_of_all_shards(n_shards, size):
    rng = np.random.default_rng(0)
    shards = rng.standard_normal((n_shards, 5 * LANES)).astype(np.float32)
    all_together = SimpleNamespace(barrier=threading.Barrier(size), sent={}, parts={})
    found = [None] * size

    def work(rank):
        comm, owned = Communicator(rank, all_together), cuts(n_shards, size)
        mpi = SimpleNamespace(
            IN_PLACE=None, Prequest=SimpleNamespace(Startall=comm.start), Request=SimpleNamespace(Waitall=comm.wait)
        )
        ranks = SimpleNamespace(
            comm=comm, rank=rank, size=size, mpi=mpi, given_back=SimpleNamespace(callback=lambda function: None)
        )
        sums = []
        for first, last in subtrees((owned[rank], owned[rank + 1]), 0, n_shards):
            sums.append(aligned(5 * LANES, np.float32))
            sums[-1][:] = sum_of_neighbours(list(shards[first:last]))
        trainer = SimpleNamespace(gradient=sums[0], subtrees=sums, plan=SimpleNamespace(lanes=LANES))
        Messages(ranks, trainer, owned).join()
        found[rank] = trainer.gradient

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    expected = sum_of_neighbours(list(shards))
    for gradient in found:
        np.testing.assert_array_equal(gradient, expected)
    np.testing.assert_allclose(expected, shards.astype(np.float64).sum(axis=0), rtol=1e-5, atol=1e-5)
