"""Train on streams in the processes of MPI; the first one prints what all of them got as one JSON document.

Arguments: a folder with what `tests/mpi/test_streams.py` writes, then names of cases.
"""

import json
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI
from networks import digest

from fastmlp import MLP, SGD, Adam, BatchNorm, EarlyStopping, train
from fastmlp.datasets import stream
from fastmlp.mpi import Processes
from fastmlp.streaming.files import File
from fastmlp.streaming.filling import Filler

COMM = MPI.COMM_WORLD
FOLDER = Path(sys.argv[1])
X, y = np.load(FOLDER / "X.npy"), np.load(FOLDER / "y.npy")
mine = slice(len(X) * COMM.rank // COMM.size, len(X) * (COMM.rank + 1) // COMM.size)
still = {"optimizer": SGD(1e-30), "epochs": 2}  # a rate that moves no weight: the costs are those of the first network


def table(name="parts", **options):
    return stream(FOLDER / name, target="kind", **{"rows_in_memory": 400} | options)


def fraction(**options):
    net = MLP([7, 16, 3], batch_norm=BatchNorm(), dropout=0.1)
    return net, table(), {"validation": 0.3, "optimizer": Adam(0.01), **options}


CASES = {
    "fraction": fraction,
    "begun": lambda: fraction(epochs=2, checkpoint=FOLDER / "run.safetensors"),
    "gone on": lambda: fraction(epochs=3, checkpoint=FOLDER / "run.safetensors"),
    "sync": lambda: fraction(batch_norm="sync"),
    "sync whole": lambda: (
        MLP([7, 16, 3], batch_norm=BatchNorm(affine=True), dtype="float64"), table(rows_in_memory=9999),
        {"optimizer": SGD(0.5, momentum=0.5), "batch_norm": "sync", "batch_size": 1000, "epochs": 4},
    ),
    "another seed": lambda: (MLP([7, 16, 3]), table(), {"validation": 0.3, "optimizer": SGD(0.1), "seed": 1}),
    "few": lambda: (MLP([7, 3]), table("few.parquet"), {"validation": 0.2, "optimizer": SGD(0.1)}),
    "one block": lambda: (
        MLP([7, 16, 3]), table(rows_in_memory=9999, side_by_side=32), {"optimizer": Adam(0.01, clip_norm=0.5)},
    ),
    "weights": lambda: (
        MLP([7, 9, 3]), table("weighted.parquet", sample_weight="times"),
        {"class_weight": "balanced", "optimizer": SGD(0.1), "validation": table("few.parquet")},
    ),
    "csv": lambda: (MLP([1, 3]), table("csv", columns=["a"]), {"validation": 0.2, "optimizer": SGD(0.1)}),
    "cache": lambda: (MLP([7, 3]), table(cache=FOLDER / "cache"), {"optimizer": SGD(0.1)}),
    "array": lambda: (
        MLP([7, 16, 3]), stream(X, target=y, rows_in_memory=400),
        {"validation": (X[mine], y[mine]), "optimizer": Adam(0.01), "stop": EarlyStopping(patience=2), "epochs": 6},
    ),
    "validated by a stream": lambda: (
        MLP([7, 16, 3]), X[mine], {"y": y[mine], "validation": stream(X, target=y, rows_in_memory=200)},
    ),
    "no pass": lambda: (
        MLP([4, 3]), table(columns=["a", "b", "c", "flag"], class_names=["ash", "birch", "cedar"]), {},
    ),
    "every row": lambda: (MLP([7, 3], dtype="float64"), table(), {"validation": None, **still}),
    "every row but those held out": lambda: (MLP([7, 3], dtype="float64"), table(), {"validation": 0.4, **still}),
    "allreduce": lambda: (MLP([7, 3]), table(), {"reduction": "allreduce", "validation": None, **still}),
}  # fmt: skip


def run(net, X, options):
    """Train; return what must be the same in all processes, and what each has read and how many rows it had."""
    read, blocks = set(), []
    read_part, block_of = File.read, Filler.block

    def noted(file, part, *arguments, **options):
        read.add((file.path.name, part))
        return read_part(file, part, *arguments, **options)

    File.read, Filler.block = noted, lambda filler, rows: blocks.append(rows) or block_of(filler, rows)
    options = {"batch_size": 40, "epochs": 3, "validation": None, "progress": False} | options
    own = {name: options.pop(name) for name in ("reduction", "batch_norm") if name in options}
    history = train(net, X, options.pop("y", None), comm=Processes(COMM, **own), **options)
    File.read, Filler.block = read_part, block_of
    records = [{name: value for name, value in record.items() if name != "seconds"} for record in history.records]
    answers = [digest(net), records, history.batch_costs.tolist(), net.class_names, net.feature_names]
    return [answers, sorted(read), blocks]


if __name__ == "__main__":
    found = {name: COMM.gather(run(*CASES[name]())) for name in sys.argv[2:]}
    if COMM.rank == 0:
        print(json.dumps(found))
