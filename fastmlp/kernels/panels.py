"""Panels: how matrices lie in the engine's memory, and the way to plain C-ordered matrices and back.

A matrix ``(rows, columns)`` is stored as ``[columns / lanes][rows and padding][lanes]``: one panel holds as many
columns as a vector has lanes. The lanes beyond the last column are zeros.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import types

from fastmlp.compilation.jit import body
from fastmlp.simd import vector as v
from fastmlp.simd.kinds import Array, Pointer
from fastmlp.simd.pointer import number, offset, pointer
from fastmlp.simd.sizes import ceil_divide, round_up
from fastmlp.simd.target import VECTOR_BYTES


class Panels(NamedTuple):
    """A matrix as panels.

    Attributes
    ----------
    start : pointer
        To its first row in its first panel.
    stride : int
        Elements from one panel to the next.
    rows, columns : int
        Of the matrix, without padding.
    """

    start: Pointer
    stride: int
    rows: int
    columns: int


def panels_type(real: Any) -> Any:
    """Return the Numba type of panels of a type of numbers."""
    return types.NamedTuple((types.CPointer(real), types.int64, types.int64, types.int64), Panels)


@body
def rows_of(panels: Panels, first: int, count: int) -> Panels:
    """Return `count` rows of a matrix, from row `first` on."""
    start = offset(panels.start, first * v.lanes(panels.start))
    return Panels(start=start, stride=panels.stride, rows=count, columns=panels.columns)


@body
def strip_of(panels: Panels, column: int) -> Pointer:
    """Return where the panel of a column starts."""
    return offset(panels.start, column // v.lanes(panels.start) * panels.stride)


@body
def dense(start: Pointer, rows: int, columns: int) -> Panels:
    """Return a matrix whose panels have no rows to spare, but whose rows fill whole vectors: a weight matrix."""
    lanes = v.lanes(start)
    return Panels(start=start, stride=round_up(rows, lanes) * lanes, rows=rows, columns=columns)


@body
def one_panel(start: Pointer, rows: int) -> Panels:
    """Return a matrix of a single whole panel."""
    return Panels(start=start, stride=np.int64(0), rows=rows, columns=v.lanes(start))


@body
def panels_in(array: Array, rows: int, columns: int) -> Panels:
    """Return a matrix at the start of an array ``(panels, rows and padding, lanes)``; the array must be kept alive."""
    return Panels(start=pointer(array, 0), stride=array.shape[1] * array.shape[2], rows=rows, columns=columns)


@body
def scratch(like: Array, rows: int, columns: int) -> Array:
    """Return an uninitialised array for the panels of a matrix.

    It has up to 4 rows to spare: products come in fours, an odd number keeps panels off one another's cache sets.
    """
    lanes = VECTOR_BYTES // like.itemsize
    return np.empty((ceil_divide(columns, lanes), round_up(rows, 4) + 1, lanes), like.dtype)


@body
def pack_strip(matrix: Array, first: int, count: int, j: int, out: Pointer) -> None:
    """Write `count` rows of the columns from `j` on, one panel, to the pointer `out`."""
    n = matrix.shape[1]
    lanes = v.lanes(out)
    if j + lanes <= n:
        for r in range(count):
            v.store(v.load(pointer(matrix, (first + r) * n + j)), offset(out, r * lanes))
    else:
        for r in range(count):
            source, target = pointer(matrix, (first + r) * n + j), offset(out, r * lanes)
            v.store(v.splat(number(out, 0.0)), target)
            for column in range(n - j):
                target[column] = source[column]


@body
def unpack_strip(source: Pointer, matrix: Array, first: int, count: int, j: int) -> None:
    """Read back what `pack_strip` wrote."""
    n = matrix.shape[1]
    lanes = v.lanes(source)
    if j + lanes <= n:
        for r in range(count):
            v.store(v.load(offset(source, r * lanes)), pointer(matrix, (first + r) * n + j))
    else:
        for r in range(count):
            row, target = offset(source, r * lanes), pointer(matrix, (first + r) * n + j)
            for column in range(n - j):
                target[column] = row[column]


@body
def pack_rows(matrix: Array, first: int, panels: Panels) -> None:
    """Fill panels with as many rows of a matrix, from row `first` on."""
    for j in range(0, panels.columns, v.lanes(panels.start)):
        pack_strip(matrix, first, panels.rows, j, strip_of(panels, j))


@body
def unpack_rows(panels: Panels, matrix: Array, first: int) -> None:
    """Read back what `pack_rows` wrote."""
    for j in range(0, panels.columns, v.lanes(panels.start)):
        unpack_strip(strip_of(panels, j), matrix, first, panels.rows, j)


@body
def all_finite(panels: Panels) -> bool:
    """Whether panels hold neither NaN nor infinity: times 0 these are NaN, all else is 0."""
    lanes, rows, nothing = v.lanes(panels.start), panels.rows, v.splat(number(panels.start, 0.0))
    a, b = nothing, nothing  # two sums, so that one addition does not wait for the other
    for j in range(0, panels.columns, lanes):
        strip = strip_of(panels, j)
        for r in range(0, rows - 1, 2):
            a = v.fma(v.load(offset(strip, r * lanes)), nothing, a)
            b = v.fma(v.load(offset(strip, (r + 1) * lanes)), nothing, b)
        if rows % 2 == 1:
            a = v.fma(v.load(offset(strip, (rows - 1) * lanes)), nothing, a)
    return v.sum_lanes(v.add(a, b)) == 0.0
