"""One process of MPI fails in the middle of a training: in a callback of the second epoch."""

import numpy as np
from mpi4py import MPI

from fastmlp import MLP, train

COMM = MPI.COMM_WORLD
rng = np.random.default_rng(0)
X, y = rng.standard_normal((40, 4)), rng.integers(0, 3, 40)


def fail(net, record):
    if COMM.rank == 1 and record["epoch"] == 2:
        raise OSError("the disk of this process is full")


train(MLP([4, 5, 3]), X, y, epochs=100_000, comm=COMM, progress=False, callbacks=[fail])
