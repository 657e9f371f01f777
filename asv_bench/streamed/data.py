"""Tables that are larger than memory: pixels as bytes, or numbers as float32, in Parquet files."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from fastmlp import datasets

FILE_ROWS, GROUP_ROWS = 100_000, 20_000
PIXELS = 784  # a network of so many inputs gets the digits; every other one gets numbers
CODECS = ("zstd", "none")
# one column for each input, one column of lists, or (for pixels) one column of bytes of a fixed length
LAYOUTS = ("columns", "list", "bytes")


def rows_of(n_inputs: int, n_classes: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return data ``(count, n_inputs)`` and class indices: digits that are drawn again and again, or made numbers."""
    rng = np.random.default_rng(seed)
    if n_inputs == PIXELS:
        X, y = datasets.mnist()[:2]
        chosen = rng.integers(0, len(X), count)
        return X[chosen], y[chosen]
    y = rng.integers(0, n_classes, count)
    centres = np.random.default_rng(1).standard_normal((n_classes, n_inputs)).astype(np.float32)
    return rng.standard_normal((count, n_inputs), np.float32) + centres[y], y


def table_of(X: np.ndarray, y: np.ndarray, layout: str) -> Any:
    """Return a table with the target ``y``."""
    if layout == "bytes" and X.dtype == np.uint8:
        rows = pa.Array.from_buffers(pa.binary(X.shape[1]), len(X), [None, pa.py_buffer(np.ascontiguousarray(X))])
        return pa.table({"x": rows, "y": y})
    if layout != "columns":
        return pa.table({"x": pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), X.shape[1]), "y": y})
    return pa.table({f"x{i}": np.ascontiguousarray(X[:, i]) for i in range(X.shape[1])} | {"y": y})


def write(folder: Path, widths: list[int], rows: int, codec: str, layout: str) -> Path:
    """Write so many rows to Parquet files in a folder below `folder`, unless they are there; return it."""
    name = f"{widths[0]}-{widths[-1]}-{rows}-{codec}-{layout}"
    place = folder / name
    if (place / "complete").exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, rows, FILE_ROWS)):
        X, y = rows_of(widths[0], widths[-1], min(FILE_ROWS, rows - start), number)
        table = table_of(X, y, layout)
        path = place / f"part-{number:04}.parquet"
        parquet.write_table(table, path, row_group_size=GROUP_ROWS, compression=codec)
    (place / "complete").touch()
    return place


def size_of(folder: Path) -> int:
    """Return the bytes of all Parquet files in a folder."""
    return sum(path.stat().st_size for path in folder.glob("*.parquet"))


def row_bytes(widths: list[int]) -> int:
    """Return the bytes of a row in memory, its class index included."""
    return widths[0] * (1 if widths[0] == PIXELS else 4) + 8
