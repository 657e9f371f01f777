"""One training in a process of its own: reads a task as JSON from its argument, prints what it measured as JSON."""

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # it is run as a file

import numpy as np

from fastmlp import MLP, SGD, train
from fastmlp.datasets import stream
from streamed import limits
from streamed.data import PIXELS


def in_memory(folder: str, n_inputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all rows of a folder as arrays."""
    data = stream(folder, target="y", rows_in_memory=1 << 16)
    X, y = np.empty((len(data), n_inputs), data.dtype), np.empty(len(data), np.int64)
    rows, done = MLP([n_inputs, len(data.class_names)]).rows_of(data, "cross_entropy"), 0
    with rows.in_order() as reader:
        for block in reader:
            here = slice(done, done + block.rows)
            X[here], y[here] = block.values[: block.rows], block.targets[: block.rows]
            done += block.rows
    return X, y


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Train, and return the seconds of each epoch and the most memory in use."""
    limits.obey(task["kind"], task["limit"], task["procs"])
    widths, batch_size, pixels = task["widths"], task["batch_size"], task["widths"][0] == PIXELS
    scale = 1 / 255 if pixels else 1.0
    options: dict[str, Any] = {"validation": None, "optimizer": SGD(task["rate"]), "progress": False}
    options |= {"batch_size": batch_size, "threads": task["threads"]}
    rng = np.random.default_rng(0)
    some = rng.integers(0, 256, (4 * batch_size, widths[0])).astype(np.uint8 if pixels else np.float32)
    train(MLP(widths, input_scale=scale), some, rng.integers(0, widths[-1], len(some)), epochs=1, **options)  # compiles
    net = MLP(widths, input_scale=scale)
    data: tuple[Any, ...]
    started = time.perf_counter()
    if task["streamed"]:
        names, rows = list(range(widths[-1])), task["rows_in_memory"]
        data = (
            stream(task["folder"], target="y", rows_in_memory=rows, class_names=names, cache=task.get("cache")),
        )  # fmt: skip
        net.rows_of(data[0], "cross_entropy")  # writes the cache, where there is to be one
    else:
        data = in_memory(task["folder"], widths[0])
    prepared = time.perf_counter()
    history = train(net, *data, epochs=task["epochs"], **options)
    return {
        "rows": len(data[0]),
        "prepared": prepared - started,
        "seconds": history.seconds / task["epochs"],
        "cost": history.records[-1]["cost"],
        "megabytes": limits.peak_megabytes(),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(json.loads(sys.argv[1]))))
