"""Elementwise kernels over flat arrays: blocks of whole vectors, and the piece at the end that is shorter than one."""

import numpy as np

from fastmlp.compilation.jit import body
from fastmlp.simd.kinds import Array
from fastmlp.simd.target import VECTOR_BYTES

ELEMENTS = 4096  # of a driver's block, a multiple of all lane counts


@body
def padded_piece(values: Array, first: int) -> Array:
    """Return the elements from `first` to the end, fewer than a vector has lanes, as one vector with zeros behind."""
    piece = np.zeros(VECTOR_BYTES // values.itemsize, values.dtype)
    piece[: len(values) - first] = values[first:]
    return piece
