"""Between plain C-ordered matrices ``(m, n)`` and panels ``[n / lanes][m][lanes]``.

The lanes beyond the last column are zeros.
"""

from typing import Any

import numpy as np

from fastmlp.jit import body
from fastmlp.simd import vector as v
from fastmlp.simd.pointer import number, offset, pointer
from fastmlp.simd.target import VECTOR_BYTES


@body
def scratch(like: Any, rows: int, columns: int) -> Any:
    """Return uninitialised panels for a matrix.

    They have up to 4 rows to spare: products come in fours, an odd number keeps panels off one another's cache sets.
    """
    lanes = VECTOR_BYTES // like.itemsize
    return np.empty(((columns + lanes - 1) // lanes, (rows + 3) // 4 * 4 + 1, lanes), like.dtype)


@body
def pack_strip(matrix: Any, first: int, count: int, j: int, out: Any) -> None:
    """Write `count` rows of the columns from `j` on, one panel, to the pointer `out`."""
    n = matrix.shape[1]
    lanes = v.lanes(out)
    if j + lanes <= n:
        for r in range(count):
            v.store(v.load(pointer(matrix, (first + r) * n + j)), offset(out, r * lanes))
    else:
        for r in range(count):
            v.store(v.splat(number(out, 0.0)), offset(out, r * lanes))
            for column in range(n - j):
                out[r * lanes + column] = matrix[first + r, j + column]


@body
def unpack_strip(source: Any, matrix: Any, first: int, count: int, j: int) -> None:
    """Read back what `pack_strip` wrote."""
    n = matrix.shape[1]
    lanes = v.lanes(source)
    if j + lanes <= n:
        for r in range(count):
            v.store(v.load(offset(source, r * lanes)), pointer(matrix, (first + r) * n + j))
    else:
        for r in range(count):
            for column in range(n - j):
                matrix[first + r, j + column] = source[r * lanes + column]


@body
def pack_rows(matrix: Any, first: int, count: int, panels: Any) -> None:
    """Write `count` rows of a matrix, from `first` on, as the first rows of `panels`."""
    for p in range(panels.shape[0]):
        start = pointer(panels, p * panels.shape[1] * panels.shape[2])
        pack_strip(matrix, first, count, p * panels.shape[2], start)


@body
def unpack_rows(panels: Any, matrix: Any, first: int, count: int) -> None:
    """Read back what `pack_rows` wrote."""
    for p in range(panels.shape[0]):
        start = pointer(panels, p * panels.shape[1] * panels.shape[2])
        unpack_strip(start, matrix, first, count, p * panels.shape[2])
