"""Ask the processes of MPI for trainings that they must refuse; the first one prints what each of them raised."""

import json
import warnings

import numpy as np
from mpi4py import MPI
from networks import digest

from fastmlp import MLP, SGD, Adam, EarlyStopping, datasets, train
from fastmlp.mpi import Processes

COMM = MPI.COMM_WORLD
RANK = COMM.rank
rng = np.random.default_rng(RANK)
X, y = rng.standard_normal((30, 4)), rng.integers(0, 3, 30)
nan = np.where(RANK == 1, np.nan, X)
kind = [np.float32, np.float64][RANK]
weights = [None, np.ones(30)][RANK]


def metric(net, X, y):
    return 0.0


CASES = {
    "rate": {"optimizer": SGD(0.1 * (1 + RANK))},
    "seed": {"seed": RANK},
    "batch size": {"batch_size": 10 + RANK},
    "epochs": {"epochs": 3 + RANK},
    "parameters": {"net": MLP([4, 5, 3], seed=RANK)},
    "widths": {"net": MLP([4, 5 + RANK, 3])},
    "validation": {"validation": [0.2, None][RANK]},
    "weights": {"sample_weight": weights},
    "dtype": {"X": X.astype(kind)},
    "data": {"X": nan},
    "one optimizer": {"optimizer": [SGD(), 7][RANK]},
    "callbacks": {"callbacks": [[], 7][RANK]},
    "shards": {"comm": Processes(COMM, shards=61)},
    "nothing": {"X": X[:0], "y": y[:0]},
    "few rows": {"validation": 0.01},
    "no pair": {"validation": ()},
    "metric": {"stop": EarlyStopping(metric=metric)},
    "stream": {"X": datasets.stream(X[RANK:], target=y[RANK:]), "y": None},
    "room": {"X": datasets.stream(X, target=y, rows_in_memory=99 + RANK), "y": None},
    "no room": {"X": datasets.stream(X, target=y, rows_in_memory=20), "y": None, "batch_size": 10, "validation": None},
    "labels": {"X": datasets.stream(X, target=y, class_names=[0, 1, 2][:: 1 - 2 * RANK]), "y": None},
    "y beside a stream": {"X": datasets.stream(X, target=y)},
    "X": {"X": [X, datasets.stream(X, target=y)][RANK]},
    "checkpoint": {"checkpoint": [None, "a"][RANK]},
    "folder": {"checkpoint": "no such folder/a"},
    "sync": {"comm": Processes(COMM, batch_norm=["shard", "sync"][RANK])},
    "Adam": {"optimizer": [SGD(), Adam()][RANK]},
}


def refusal(net=None, X=X, y=y, comm=COMM, **options):
    """The error of a training, and whether the network is as it was."""
    net = net or MLP([4, 5, 3])
    before = digest(net)
    try:
        train(net, X, y, **{"epochs": 2, "comm": comm, "progress": False} | options)
    except (TypeError, ValueError, OSError) as error:
        return [type(error).__name__, str(error), digest(net) == before]
    return None


warnings.simplefilter("error")
found = {name: COMM.gather(refusal(**options)) for name, options in CASES.items()}
wrong = []
for options in ({"comm": 3}, {"comm": COMM, "shards": 1}, {"comm": COMM, "shards": 4, "reduction": "allreduce"},
                {"comm": COMM, "reduction": "ring"}, {"comm": COMM, "batch_norm": True}):  # fmt: skip
    try:
        Processes(**options)
    except (TypeError, ValueError) as error:
        wrong.append([type(error).__name__, str(error)])
if RANK == 0:
    print(json.dumps([found, wrong]))
