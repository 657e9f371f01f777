"""IDX, the file format of MNIST: a magic number, the dimensions, then the values, all big-endian."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastmlp.datasets.streams import Readable, opened, read_up_to, read_values

# the dtype for the third byte of the magic number; http://yann.lecun.com/exdb/mnist
DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_DIMENSIONS = 32  # NumPy's limit before 2.0


def read_idx(path: Path) -> npt.NDArray[Any]:
    """Read an IDX file, which may be compressed as ``.gz`` or ``.xz``.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    ndarray
        The values, in the shape and type that the header names. Writable, C-ordered, in native byte order.

    Raises
    ------
    ValueError
        The magic number is wrong, or the file holds fewer or more values than its header claims.
    """
    with opened(path) as stream:
        dtype, shape = _read_header(stream, path)
        values = read_values(stream, shape, dtype, str(path))
    return values.reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _read_header(stream: Readable, path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = read_up_to(stream, 4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES or not 1 <= magic[3] <= MAX_DIMENSIONS:
        raise ValueError(
            f"{path}: wrong magic number 0x{magic.hex()}, expected an IDX file: 0x0000, a type "
            f"({', '.join(f'{code:02x}' for code in DTYPES)}), the number of dimensions (01 to {MAX_DIMENSIONS:02x})"
        )
    sizes = read_up_to(stream, 4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise ValueError(f"{path}: the file ends inside its header, expected the sizes of {magic[3]} dimensions")
    return np.dtype(DTYPES[magic[2]]), struct.unpack(f">{magic[3]}I", sizes)
