"""Rows of Arrow that become a network's inputs: the encoder of a stream, and an epoch that reads Parquet files."""

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastmlp
from fastmlp import datasets

from ._data import labels, normal
from ._pages import shown_as

SAMPLES = 20_000
WIDTH = 16
LEVELS = 12  # of a column of categories
BATCH = 100
# how the columns are made of normal numbers (n, WIDTH)
KINDS = ["numbers", "mixed numbers", "categories", "bytes"]

Array = NDArray[Any]


def table(kind: str) -> Any:
    """Return a table of Arrow with a target ``y``."""
    import pyarrow as pa

    numbers, columns = normal(SAMPLES, WIDTH), {}
    for i, column in enumerate(numbers.T):
        if kind == "categories" and i % 2:
            names = np.array([f"level {level}" for level in range(LEVELS)])
            columns[f"c{i}"] = pa.array(names[(100 * column).astype(int) % LEVELS]).dictionary_encode()
        else:
            columns[f"c{i}"] = pa.array(
                column.astype([np.float32, np.int16][i % 2] if kind != "numbers" else np.float32)
            )
    if kind == "bytes":
        rows = (10 * numbers).astype(np.int8).view(np.uint8)
        columns = {"c": pa.array([row.tobytes() for row in rows], pa.binary(WIDTH))}
    return pa.table(columns | {"y": labels(SAMPLES, 3)})


class Stream:
    """A Parquet file of row groups of 2,000 rows. This class has no benchmark."""

    params = (KINDS,)
    param_names = ("columns",)
    timeout = 300.0

    def setup(self, kind: str) -> None:
        if importlib.util.find_spec("pyarrow") is None or not hasattr(datasets, "stream"):
            raise NotImplementedError("streams need the extra: pip install 'fastmlp[tables]'")
        from pyarrow import parquet

        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "rows.parquet"
        parquet.write_table(table(kind), path, row_group_size=2000)
        self.stream = datasets.stream(path, target="y", rows_in_memory=max(4000, 4 * BATCH))
        self.net = fastmlp.MLP([self.stream.n_inputs, 32, 3])
        self.prepare()

    def prepare(self) -> None:
        """Do all that is timed once."""

    def teardown(self, kind: str) -> None:
        if hasattr(self, "folder"):  # asv also tears down what it skipped
            self.folder.cleanup()


class Encoder(Stream):
    """Rows that are read, decoded and written into a block, without a network."""

    def prepare(self) -> None:
        self.rows = self.net.rows_of(self.stream, "cross_entropy")
        self.block = self.rows.filler.block(SAMPLES)
        self.reads = list(self.rows._read(self.rows.pieces, self.rows.room.chunk, 1))
        self.time_encode()

    @shown_as("Streams: rows of Arrow encoded")
    def time_encode(self, *_: object) -> tuple[Array, Array]:
        self.block.rows = 0
        for read in self.reads:
            self.rows.filler.write(read, None, 0, self.block)
        return self.block.values, self.block.targets


class Epoch(Stream):
    """An epoch of `fastmlp.train`, which reads while it trains."""

    def prepare(self) -> None:
        self.time_epoch()

    @shown_as("Streams: an epoch that reads Parquet")
    def time_epoch(self, *_: object) -> tuple[Array]:
        history = fastmlp.train(
            self.net, self.stream, validation=None, optimizer=fastmlp.SGD(0.01), batch_size=BATCH, epochs=1,
            progress=False,
        )  # fmt: skip
        return (history.batch_costs,)
