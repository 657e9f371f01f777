"""Train in the processes of MPI until somebody presses Ctrl-C; say when that may be."""

import numpy as np
from mpi4py import MPI

from fastmlp import MLP, train

COMM = MPI.COMM_WORLD
rng = np.random.default_rng(0)
X, y = rng.standard_normal((400, 4)), rng.integers(0, 3, 400)


def ready(net, record):
    if record["epoch"] == 3 and COMM.rank == 0:
        print("ready", flush=True)


history = train(MLP([4, 5, 3]), X, y, batch_size=40, epochs=10**6, comm=COMM, progress=False, callbacks=[ready])
found = COMM.gather([history.stopped_because, history.epochs])
if COMM.rank == 0:
    print(*sorted({str(ended) for ended in found}))
