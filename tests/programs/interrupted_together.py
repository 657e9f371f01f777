"""Ctrl-C comes to one of the processes of MPI only, in the middle of a long training, and then in a callback."""

import json
import os
import signal
import sys
import threading

import numpy as np
from mpi4py import MPI
from networks import digest

from fastmlp import MLP, Adam, train

COMM = MPI.COMM_WORLD
signal.signal(signal.SIGINT, signal.default_int_handler)
rng = np.random.default_rng(0)
X, y = rng.standard_normal((400, 4)), rng.integers(0, 3, 400)


def press():
    os.kill(os.getpid(), signal.SIGINT)


def train_until(moment, checkpoint):
    net = MLP([4, 5, 3])

    def after(net, record):
        if COMM.rank == 1 and record["epoch"] == 3:
            if moment is None:
                press()
            else:
                threading.Timer(moment, press).start()

    history = train(
        net, X, y, optimizer=Adam(), batch_size=40, epochs=100_000, comm=COMM, progress=False, callbacks=[after],
        checkpoint=checkpoint,
    )  # fmt: skip
    return [digest(net), history.stopped_because, history.state.steps, history.epochs]


found = [COMM.gather(train_until(moment, path)) for moment, path in ((0.02, None), (None, None), (None, sys.argv[1]))]
if COMM.rank == 0:
    print(json.dumps(found))
