"""The accuracy after training by a stream's shuffle and by a whole one, on digits as they are and sorted by class."""

import statistics
from pathlib import Path

import numpy as np
from pyarrow import parquet

from fastmlp import MLP, SGD, datasets, train
from fastmlp.datasets import stream

from .data import table_of

ROWS = (3_000, 6_000, 12_000, 30_000)  # in memory, of 60,000
SIDE_BY_SIDE = (1, 8, 32)


def write(folder: Path, order: str, group_rows: int, limit: int) -> Path:
    """Write the digits as they are or sorted by class, with row groups of so many rows."""
    X, y = (array[:limit] for array in datasets.mnist()[:2])
    rows = np.argsort(y, kind="stable") if order == "sorted" else np.arange(len(y))
    path = folder / f"digits-{order}.parquet"
    parquet.write_table(table_of(X[rows], y[rows], "list"), path, row_group_size=group_rows)
    return path


def accuracy(data: tuple[object, ...], seed: int, epochs: int) -> float:
    """Return the accuracy on the test images."""
    net = MLP([784, 128, 10], input_scale=1 / 255, seed=seed)
    train(net, *data, validation=None, optimizer=SGD(0.1), batch_size=100, epochs=epochs, seed=seed, progress=False)
    return net.accuracy(*datasets.mnist()[2:])


def shown(found: list[float]) -> str:
    """Return mean and standard deviation in percent."""
    spread = statistics.stdev(found) if len(found) > 1 else 0.0
    return f"{100 * statistics.mean(found):.2f} ± {100 * spread:.2f}"


def lines(folder: Path, seeds: int, epochs: int, group_rows: int, limit: int) -> list[str]:
    """Return the comparison as a Markdown table."""
    X, y = (array[:limit] for array in datasets.mnist()[:2])
    whole = shown([accuracy((X, y), seed, epochs) for seed in range(seeds)])
    title = (
        f"**Test accuracy in % after {epochs} epochs, mean ± standard deviation of {seeds} seeds; {len(y)} digits, row "
        f"groups of {group_rows}**"
    )
    found = [
        title,
        "",
        "| order in the file | rows in memory | " + " | ".join(f"{n} side by side" for n in SIDE_BY_SIDE) + " |",
        "| --- | ---: |" + " ---: |" * len(SIDE_BY_SIDE),
        f"| (in memory, a full shuffle) | {len(y)} |" + f" {whole} |" * len(SIDE_BY_SIDE),
    ]
    for order in ("random", "sorted"):
        path = write(folder, order, group_rows, limit)
        for rows in (rows * limit // 60_000 for rows in ROWS):
            cells = [streamed(path, rows, n, seeds, epochs) for n in SIDE_BY_SIDE]
            found.append(f"| {order} | {rows} | " + " | ".join(cells) + " |")
    return found


def streamed(path: Path, rows: int, side_by_side: int, seeds: int, epochs: int) -> str:
    """Return the accuracy after training on a stream of a file."""
    data = stream(path, target="y", rows_in_memory=rows, side_by_side=side_by_side, class_names=range(10))
    return shown([accuracy((data,), seed, epochs) for seed in range(seeds)])
