"""Train networks in the processes of MPI; the first one prints what all of them got as one JSON document.

Arguments: how the rows are dealt out ("even", "uneven", "first": all to the first process; with "messages", evenly, and
no memory is shared), then names of cases.
"""

import json
import sys

import numpy as np
from mpi4py import MPI
from networks import digest
from scipy.sparse import csr_array

from fastmlp import MLP, SGD, Adam, BatchNorm, EarlyStopping, losses, train
from fastmlp.mpi import Processes
from fastmlp.mpi.ranks import Ranks

COMM = MPI.COMM_WORLD
SHARES = {
    "even": np.linspace(0, 1, COMM.size + 1),
    "messages": np.linspace(0, 1, COMM.size + 1),
    "uneven": np.linspace(0, 1, COMM.size + 1) ** 2,
    "first": np.r_[0, np.ones(COMM.size)],
}
rng = np.random.default_rng(0)
X = rng.standard_normal((611, 20))
y = np.argmax(X[:, :3] + 0.3 * rng.standard_normal((611, 3)), axis=1)
pixels = rng.integers(0, 255, (611, 40), np.uint8) * (rng.random((611, 40)) < 0.2)
numbers = X[:, :2] ** 2
heavy = rng.integers(0, 3, 611).astype(float)
wide = rng.standard_normal((2000, 64)).astype(np.float32)
parity = (wide[:, :4].sum(axis=1) > 0).astype(np.int64)
CASES = {
    "sgd": lambda: (MLP([20, 33, 17, 3]), X, y, {"optimizer": SGD(0.1, weight_decay=0.01)}),
    "momentum": lambda: (
        MLP([20, 33, 17, 3]), X, y, {"optimizer": SGD(0.1, momentum=0.9), "validation": (X[:99], y[:99])},
    ),
    "adam": lambda: (MLP([20, 33, 17, 3], dropout=0.2), X, y, {"optimizer": Adam(0.01, clip_norm=0.5)}),
    "batch_norm": lambda: (
        MLP([20, 33, 17, 3], batch_norm=BatchNorm(affine=True)), X, y, {"optimizer": SGD(0.1, clip_norm=1.0)},
    ),
    "before": lambda: (
        MLP([20, 9, 3], batch_norm=BatchNorm("before_relu")), X, y, {"optimizer": SGD(0.1), "batch_size": 600},
    ),
    "sync": lambda: (
        MLP([20, 33, 17, 3], batch_norm=BatchNorm(affine=True), dropout=0.1), X, y,
        {"optimizer": Adam(0.01), "batch_norm": "sync"},
    ),
    "sync before": lambda: (
        MLP([20, 9, 3], batch_norm=BatchNorm("before_relu")), X, y,
        {"optimizer": SGD(0.1), "batch_norm": "sync", "batch_size": 5, "shards": 13},
    ),
    "sync threads": lambda: (
        MLP([64, 128, 2], batch_norm=BatchNorm()), wide, parity,
        {"threads": 2, "batch_size": 200, "batch_norm": "sync"},
    ),
    "sync one_thread": lambda: (
        MLP([64, 128, 2], batch_norm=BatchNorm()), wide, parity,
        {"threads": 1, "batch_size": 200, "batch_norm": "sync"},
    ),
    "sync whole": lambda: (
        MLP([20, 33, 17, 3], batch_norm=BatchNorm(affine=True), dtype="float64"), X, y,
        {"optimizer": SGD(0.5, momentum=0.5), "batch_norm": "sync", "batch_size": 611, "validation": None, "epochs": 5},
    ),
    "bfloat16": lambda: (MLP([20, 33, 17, 3]), X, y, {"optimizer": Adam(0.01), "matmul_precision": "bfloat16"}),
    "factors": lambda: (MLP([20, 33, 3], input_factors=True), X, y, {"optimizer": Adam(0.01, clip_norm=0.5)}),
    "zeros": lambda: (MLP([40, 9, 3], input_scale=1 / 255), pixels, y, {"class_weight": "balanced", "batch_size": 5}),
    "weights": lambda: (MLP([20, 9, 3]), X, y, {"optimizer": SGD(0.1), "sample_weight": heavy, "epochs": 4}),
    "float64": lambda: (
        MLP([20, 9, 2], output="identity", dtype="float64"), X, numbers,
        {"optimizer": Adam(0.01), "loss": losses.Huber(), "shards": 13},
    ),
    "stops": lambda: (
        MLP([20, 9, 3]), X, y, {"optimizer": SGD(0.5), "stop": EarlyStopping(patience=2, min_delta=0.05), "epochs": 40},
    ),
    "threads": lambda: (MLP([64, 128, 2]), wide, parity, {"threads": 2, "batch_size": 200}),
    "one_thread": lambda: (MLP([64, 128, 2]), wide, parity, {"threads": 1, "batch_size": 200}),
    "allreduce": lambda: (MLP([20, 33, 17, 3]), X, y, {"optimizer": Adam(0.01), "reduction": "allreduce"}),
    "sparse": lambda: (MLP([40, 9, 3], input_scale=1 / 255), csr_array(pixels), y, {"reduction": "allreduce"}),
}  # fmt: skip


def mine(rows):
    """The rows of this process."""
    if not hasattr(rows, "shape"):
        return tuple(mine(part) for part in rows)
    ends = np.round(SHARES[sys.argv[1]] * rows.shape[0]).astype(int)
    return rows[ends[COMM.rank] : ends[COMM.rank + 1]]


def run(net, X, y, options):
    """Train; return what must be the same in all processes."""
    options = {"batch_size": 50, "epochs": 3, "progress": False} | options
    for name in ("validation", "sample_weight"):
        if not isinstance(options.get(name), (float, type(None))):
            options[name] = mine(options[name])
    own = {name: options.pop(name) for name in ("shards", "reduction", "batch_norm") if name in options}
    history = train(net, mine(X), mine(y), comm=Processes(COMM, **own), **options)
    records = [{name: value for name, value in record.items() if name != "seconds"} for record in history.records]
    moments = [moment.tobytes().hex()[:64] for moment in history.state.moments]
    return [digest(net), records, history.batch_costs.tolist(), history.stopped_because, history.best_epoch, moments]


if __name__ == "__main__":
    if sys.argv[1] == "messages":
        Ranks.on_one_machine = lambda self: False
    found = {name: COMM.gather(run(*CASES[name]())) for name in sys.argv[2:]}
    if COMM.rank == 0:
        print(json.dumps(found))
