"""A table in Parquet files of several row groups, and the same rows as arrays."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

COLOURS = ["blue", "green", "red"]
KINDS = ["ash", "birch", "cedar"]


@dataclass
class Rows:
    """A table and the rows that a network gets of it."""

    table: pa.Table
    X: np.ndarray  # a, b, c, flag, colour=blue, colour=green, colour=red
    y: np.ndarray
    folder: Path

    def slice(self, start, stop):
        """Some neighbouring rows."""
        return Rows(self.table.slice(start, stop - start), self.X[start:stop], self.y[start:stop], self.folder)


def make_rows(n, seed, folder):
    """Rows of three classes that a network can learn."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    numbers = rng.standard_normal((n, 3)) + 2 * np.eye(3)[y]
    flag, colour = rng.integers(0, 2, n).astype(bool), (y + rng.integers(0, 2, n)) % 3
    table = pa.table(
        {
            "a": numbers[:, 0],
            "b": numbers[:, 1].astype(np.float32),
            "kind": [KINDS[label] for label in y],
            "c": (10 * numbers[:, 2]).astype(np.int16),
            "flag": flag,
            "colour": pa.array([COLOURS[code] for code in colour]).dictionary_encode(),
        }
    )
    X = np.column_stack([numbers[:, 0], numbers[:, 1].astype(np.float32), (10 * numbers[:, 2]).astype(np.int16), flag])
    return Rows(table, np.concatenate([X, np.eye(3)[colour]], axis=1), y, folder)


@pytest.fixture
def rows(tmp_path):
    """1,000 rows."""
    return make_rows(1000, 3, tmp_path)


def write_folder(rows, files=3, group=70):
    """Write the rows to so many Parquet files, with row groups of so many rows; returns the folder."""
    folder = rows.folder / "parts"
    folder.mkdir(exist_ok=True)
    bounds = np.linspace(0, len(rows.y), files + 1).astype(int)
    for i, (start, stop) in enumerate(itertools.pairwise(bounds)):
        parquet.write_table(rows.table.slice(start, stop - start), folder / f"part-{i}.parquet", row_group_size=group)
    return folder


@pytest.fixture
def folder(rows):
    """The rows as three Parquet files in a folder."""
    return write_folder(rows)
