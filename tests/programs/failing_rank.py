"""One process of MPI fails in the middle of a training: a callback raises, or with "drift" the parameters differ."""

import sys

import numpy as np
from mpi4py import MPI

from fastmlp import MLP, train
from fastmlp.engine.sharded import ShardTrainer

COMM = MPI.COMM_WORLD
rng = np.random.default_rng(0)
X, y = rng.standard_normal((40, 4)), rng.integers(0, 3, 40)


def fail(net, record):
    if COMM.rank == 1 and record["epoch"] == 2 and sys.argv[1] == "callback":
        raise OSError("the disk of this process is full")


def end_and_drift(trainer, end=ShardTrainer.end):
    end(trainer)
    trainer.network.parameters.views["weights"][0][0, 0] *= 1 + 1e-6 * COMM.rank


if sys.argv[1] == "drift":
    ShardTrainer.end = end_and_drift
train(MLP([4, 5, 3]), X, y, epochs=100_000, comm=COMM, progress=False, callbacks=[fail])
