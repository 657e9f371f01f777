"""Reading of plain and compressed files, with no more memory than a file has bytes."""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import numpy as np
import numpy.typing as npt

PACKED = (".gz", ".xz")

CHUNK = 1 << 20


class Readable(Protocol):
    """A binary file that can be read."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for reading, and decompress ``.gz`` and ``.xz``.

    Raises
    ------
    ValueError
        The file is empty, or its compressed data are damaged. The block that reads the file may raise the latter.
    """
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty")
    suffix = path.suffix.lower()
    if suffix not in PACKED:
        with path.open("rb") as stream:
            yield stream
        return
    import gzip  # here, so that a Python that was built without one of these modules can do everything else
    import lzma
    import zlib

    try:
        with gzip.open(path) if suffix == ".gz" else lzma.open(path) as unpacked:
            yield cast(BinaryIO, unpacked)
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
        raise ValueError(f"{path}: truncated or damaged, expected a complete {suffix} stream ({error})") from error


def read_up_to(stream: Readable, size: int) -> bytearray:
    """Read `size` bytes, or all bytes if there are fewer.

    The memory grows with the bytes that are read, and not with `size`, since `size` may come from a damaged header.
    """
    held = bytearray()
    while len(held) < size and (chunk := stream.read(min(CHUNK, size - len(held)))):
        held += chunk
    return held


def read_values(stream: Readable, shape: tuple[int, ...], dtype: np.dtype[Any], where: str) -> npt.NDArray[Any]:
    """Read the rest of `stream` as a writable flat array. Raise unless it has exactly the values of `shape`."""
    claimed = math.prod(shape) * dtype.itemsize
    values = read_up_to(stream, claimed + 1)
    if len(values) != claimed:
        held = f"{len(values):,}" if len(values) < claimed else f"more than {claimed:,}"
        raise ValueError(
            f"{where}: the header claims {claimed:,} bytes of values (shape {shape}), the file holds {held}"
        )
    if claimed == 0:
        raise ValueError(f"{where}: the array is empty, its shape is {shape}")
    return np.frombuffer(values, dtype)
