"""Trainings with all that a checkpoint keeps, each made anew by its name: what one process begins another ends."""

import numpy as np
import pyarrow as pa
from pyarrow import parquet

import fastmlp
from fastmlp import MLP, SGD, Adam, AdamW, BatchNorm, EarlyStopping, RateMultipliers, datasets, schedules

EPOCHS = 6


class PowerCutError(Exception):
    """Ends a training as if its process had ended."""


def cut_after(epoch):
    """A callback that ends the training behind an epoch, before its checkpoint is written."""

    def callback(trained, record):
        if record["epoch"] == epoch:
            raise PowerCutError

    return callback


def without_seconds(records):
    """The records of a history, as they are the same on every machine."""
    return [{name: value for name, value in record.items() if name != "seconds"} for record in records]


def _rows(columns=5, classes=3):
    rng = np.random.default_rng(11)
    centres = 2 * rng.standard_normal((classes, columns))
    y = rng.integers(0, classes, size=150)
    return centres[y] + rng.standard_normal((150, columns)), y


def _stream(folder):
    """The rows as a Parquet file of six row groups, written once."""
    path = folder / "rows.parquet"
    if not path.exists():
        X, y = _rows()
        columns = {f"x{i}": X[:, i] for i in range(X.shape[1])}
        parquet.write_table(pa.table({**columns, "y": y}), path, row_group_size=25)
    return datasets.stream(path, target="y", rows_in_memory=100)


# settings of the network, and of its training
RUNS = {
    "sgd": ({}, {"optimizer": SGD(0.05, 0.01)}),
    "nesterov and a schedule": (
        {"activation": "tanh"},
        {"optimizer": SGD(schedules.Cosine(0.05), momentum=0.9, nesterov=True), "seed": 3},
    ),
    "adam, dropout, batch norm, early stopping": (
        {"dropout": 0.3, "batch_norm": BatchNorm(affine=True)},
        {"optimizer": Adam(0.01), "stop": EarlyStopping("cost", 0.5, patience=2)},
    ),
    "adamw, clipped, float64, weights": (
        {"dtype": "float64"},
        {"optimizer": AdamW(0.01, clip_norm=0.5), "sample_weight": np.linspace(0.1, 2, 150), "validation": None},
    ),
    "bfloat16, dropout": ({"dropout": 0.2}, {"optimizer": Adam(0.01), "matmul_precision": "bfloat16"}),
    "factors of the inputs, rates of their own": (
        {"input_factors": True},
        {"optimizer": Adam(0.01, rate_multipliers=RateMultipliers([1, 0.5, 0.2], 0.1, factors=6.0))},
    ),
    "the best epoch is not the last": (
        {},
        {"optimizer": SGD(0.9), "stop": EarlyStopping("cost", 0.0, patience=EPOCHS), "batch_size": 8},
    ),
}


STREAMED = ({"dropout": 0.2}, {"optimizer": Adam(0.01), "stop": EarlyStopping("cost", 0.0, patience=EPOCHS)})


def begin(name, folder=None):
    """The network of a run, and a function that trains it with more options; with a folder, on a stream from there."""
    network, settings = RUNS[name] if folder is None else STREAMED
    rows = _rows() if folder is None else (_stream(folder),)
    net = MLP([5, 17, 7, 3], seed=2, **network)
    settings = {"batch_size": 32, "epochs": EPOCHS, "progress": False, **settings}
    return net, lambda **more: fastmlp.train(net, *rows, **settings | more)


def course(history):
    """What a history says, without the seconds."""
    records = without_seconds(history.records)
    moments = [moment.tobytes() for moment in history.state.moments]
    ended = history.stopped_because, history.best_epoch, history.state.steps, history.state.key
    return records, history.batch_costs.tobytes(), moments, ended
