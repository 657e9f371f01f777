"""Callbacks of `fastmlp.train` that pass every epoch's record on, while the training runs."""

import json
import os
from pathlib import Path
from typing import Any

from fastmlp.mlp import MLP
from fastmlp.system.extras import require
from fastmlp.train import Callback

Record = dict[str, Any]


def jsonl_logger(path: str | os.PathLike[str]) -> Callback:
    """Return a callback that appends each record to a file, as a line of JSON.

    Parameters
    ----------
    path : path-like
        The file; made if there is none.

    Raises
    ------
    OSError
        The file cannot be opened for writing.
    """
    path = Path(path)
    with path.open("a"):  # says so now rather than after the first epoch
        pass

    def log(net: MLP, record: Record) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    return log


def tensorboard_logger(folder: str | os.PathLike[str]) -> Callback:
    """Return a callback that writes each number of a record for TensorBoard, with the epoch as the step.

    Parameters
    ----------
    folder : path-like
        Holds one training; ``tensorboard --logdir`` on the folder above shows several side by side.

    Raises
    ------
    ImportError
        TensorBoard is not installed (extra ``tensorboard``).
    OSError
        The folder cannot be made.
    """
    # needs no framework, and its flush waits for what is queued; tensorboardX's flush does not
    writer = require("tensorboard.summary", extra="tensorboard").Writer(os.fspath(folder))

    def log(net: MLP, record: Record) -> None:
        for name, value in _measures(record).items():
            writer.add_scalar(name, value, record["epoch"])
        writer.flush()

    return log


def mlflow_logger() -> Callback:
    """Return a callback that logs each number of a record to MLflow's active run, with the epoch as the step.

    Raises
    ------
    ImportError
        MLflow is not installed (extra ``mlflow``).
    """
    mlflow = require("mlflow", extra="mlflow")

    def log(net: MLP, record: Record) -> None:
        mlflow.log_metrics(_measures(record), step=record["epoch"])

    return log


def _measures(record: Record) -> dict[str, float]:
    return {name: value for name, value in record.items() if name != "epoch" and value is not None}
