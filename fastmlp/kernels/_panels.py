"""Between plain C-ordered matrices ``(m, n)`` and panels ``[n / lanes][m][lanes]``.

The lanes beyond the last column are zeros.
"""

from typing import Any

import numpy as np

from fastmlp.compilation.jit import body
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


@body
def all_finite(panels: Any, rows: int, columns: int, panel: int) -> bool:
    """Whether `rows` rows of panels hold neither NaN nor infinity: times 0 these are NaN, all else is 0."""
    lanes, nothing = v.lanes(panels), v.splat(number(panels, 0.0))
    a, b = nothing, nothing  # two sums, so that one addition does not wait for the other
    for j in range(0, columns, lanes):
        strip = offset(panels, j // lanes * panel)
        for r in range(0, rows - 1, 2):
            a = v.fma(v.load(offset(strip, r * lanes)), nothing, a)
            b = v.fma(v.load(offset(strip, (r + 1) * lanes)), nothing, b)
        if rows % 2 == 1:
            a = v.fma(v.load(offset(strip, (rows - 1) * lanes)), nothing, a)
    return v.sum_lanes(v.add(a, b)) == 0.0
