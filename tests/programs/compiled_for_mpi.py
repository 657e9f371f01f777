"""Compile ahead for trainings in several processes ("ahead"), or train in those of MPI, and print what was compiled."""

import json
import sys

import numpy as np

from fastmlp import MLP, SGD, Adam, BatchNorm, ahead, train
from fastmlp.compilation.store import MISSED

if sys.argv[1] == "ahead":
    for job in ahead.other_jobs():
        if job == ("shards", ("float32",)):
            ahead.run(job)
    print(json.dumps(MISSED))
else:
    from mpi4py import MPI

    from fastmlp.mpi import Processes

    comm, rng = MPI.COMM_WORLD, np.random.default_rng(0)
    X, y = rng.standard_normal((40, 9)).astype(np.float32), rng.integers(0, 3, 40)
    for shards, optimizer, batch_norm in (
        (comm.size, SGD(0.1), "shard"), (comm.size + 3, Adam(0.01, clip_norm=1.0), "shard"), (4, SGD(0.1), "sync"),
    ):  # fmt: skip
        processes = Processes(comm, shards=shards, batch_norm=batch_norm)
        net = MLP([9, 8, 3], batch_norm=BatchNorm(affine=True))
        options = {"validation": None, "batch_size": 20, "epochs": 2, "threads": 1 + (shards == 4), "progress": False}
        train(net, X, y, optimizer=optimizer, comm=processes, **options)
    found = comm.gather(MISSED)
    if comm.rank == 0:
        print(json.dumps(found))
