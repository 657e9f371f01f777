"""A stream fails in the processes of MPI; the first one prints what each of them raised, and how its network is.

Argument: a folder with Parquet files, which this program changes.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from mpi4py import MPI
from networks import digest
from pyarrow import parquet

from fastmlp import MLP, SGD, train
from fastmlp.datasets import StreamError, stream

COMM = MPI.COMM_WORLD
FOLDER = Path(sys.argv[1])
rng = np.random.default_rng(0)


def write(name, rows, wrong=None):
    """Write a table; one value of one row group may be wrong."""
    a, y = rng.standard_normal(rows), rng.integers(0, 2, rows)
    if wrong is not None:
        a[wrong] = np.nan
    parquet.write_table(pa.table({"a": a, "y": y}), FOLDER / f"{name}.parquet", row_group_size=20)


def attempt(name, change=lambda: None, **options):
    """The error of a training, whether the network is that of the last whole epoch, and how many there were."""
    digests = []

    def after(net, record):
        digests.append(digest(net))
        if record["epoch"] == 2:
            if COMM.rank == 0:
                change()
            COMM.Barrier()

    net = MLP([1, 3, 2])
    start = digest(net)
    found = stream(FOLDER / f"{name}.parquet", target="y", rows_in_memory=120)
    try:
        train(
            net, found, optimizer=SGD(0.1), batch_size=20, epochs=4, callbacks=[after], comm=COMM, progress=False,
            **{"validation": None} | options,
        )  # fmt: skip
    except StreamError as error:
        return [str(error), digest(net) == [start, *digests][-1], len(digests)]
    return ["", True, len(digests)]


if COMM.rank == 0:
    for name in ("changed", "sound"):
        write(name, 400)
    write("nan", 400, wrong=317)
COMM.Barrier()
found = [
    COMM.gather(attempt("changed", lambda: write("changed", 300))),
    COMM.gather(attempt("nan")),
    COMM.gather(attempt("sound", validation=stream(FOLDER / "nan.parquet", target="y", rows_in_memory=120))),
    COMM.gather(attempt("sound")),
]
if COMM.rank == 0:
    print(json.dumps(found))
