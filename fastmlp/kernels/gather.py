"""The mini-batch: rows of the data set picked by index, converted, scaled and laid out as panels.

``data (n, n_in)`` of any real dtype, ``index (batch,)``, ``out`` panels ``[n_in / lanes][batch][lanes]``.
"""

import functools
from typing import Any

import numpy as np
from numba import from_dtype, prange, types

from fastmlp.compilation.jit import address, body, driver
from fastmlp.kernels._panels import scratch, unpack_rows
from fastmlp.simd import vector as v
from fastmlp.simd.pointer import call, cast_address, keep_alive, number, offset, pointer, prefetch

AHEAD = 8  # rows: they lie at random places in a data set larger than the caches; 4 to 8 halves the time
ROWS = 96  # of a driver's block

# of data that are converted row by row; others are converted as a whole before
DTYPES = tuple(map(np.dtype, ("u1", "f4", "f8", "i8", "i4", "i2", "i1", "u2", "u4", "u8")))


@body
def _convert_rows(source: Any, index: Any, rows: int, known: int, n_in: int, scale: Any, out: Any,
                  panel: int) -> None:  # fmt: skip
    """`known` indices are there; those beyond `rows` belong to rows to prefetch."""
    lanes = v.lanes(out)
    ahead = max(0, min(rows, known - AHEAD))
    factor = v.splat(scale)
    whole = n_in // lanes
    for r in range(rows):
        row = offset(source, index[r] * n_in)
        if r < ahead:
            following = offset(source, index[r + AHEAD] * n_in)
            for column in range(0, n_in, v.lanes(source)):  # a vector is as long as a cache line
                prefetch(offset(following, column))
        target = offset(out, r * lanes)
        for k in range(whole):
            v.store(v.multiply(v.load_converted(offset(row, k * lanes), factor), factor), offset(target, k * panel))
        if whole * lanes < n_in:
            last = offset(target, whole * panel)
            v.store(v.splat(number(out, 0.0)), last)
            for column in range(n_in - whole * lanes):
                last[column] = number(out, row[whole * lanes + column]) * scale


def _convert(source: Any, index: Any, rows: int, known: int, n_in: int, scale: Any, out: Any,
             panel: int) -> int:  # fmt: skip
    _convert_rows(source, index, rows, known, n_in, scale, out, panel)
    return rows


@body
def _spread_rows(values: Any, columns: Any, starts: Any, index: Any, rows: int, n_in: int, scale: Any, out: Any,
                 panel: int) -> None:  # fmt: skip
    lanes = v.lanes(out)
    nothing = v.splat(number(out, 0.0))
    for k in range(0, n_in, lanes):
        strip = offset(out, k // lanes * panel)
        for r in range(rows):
            v.store(nothing, offset(strip, r * lanes))
    for r in range(rows):
        target = offset(out, r * lanes)
        for i in range(starts[index[r]], starts[index[r] + 1]):
            column = np.int64(columns[i])
            target[column // lanes * panel + column % lanes] += values[i] * scale


def _spread(parts: Any, index: Any, rows: int, known: int, n_in: int, scale: Any, out: Any, panel: int) -> int:
    values, columns = cast_address(parts[0], number(out, 0.0)), cast_address(parts[1], np.int32(0))
    starts = cast_address(parts[2], np.int64(0))
    _spread_rows(values, columns, starts, index, rows, n_in, scale, out, panel)
    return rows


@functools.cache
def spreader(target: np.dtype) -> int:
    """Return the address of what spreads sparse rows out (`fastmlp.inputs.sparse.CsrRows`), for `gather_rows`."""
    integers, real = types.CPointer(types.int64), from_dtype(target)
    signature = types.intp(
        integers, integers, types.intp, types.intp, types.intp, real, types.CPointer(real), types.intp
    )
    return address(_spread, signature)


@functools.cache
def converter(source: np.dtype, target: np.dtype) -> int:
    """Return the address of what converts rows from one dtype to another, for `gather_rows`."""
    kind, real = from_dtype(source), from_dtype(target)
    signature = types.intp(
        types.CPointer(kind), types.CPointer(types.int64), types.intp, types.intp, types.intp, real,
        types.CPointer(real), types.intp,
    )  # fmt: skip
    return address(_convert, signature)


@body
def gather_rows(convert: int, data: int, index: Any, rows: int, known: int, n_in: int, scale: float, out: Any,
                panel: int) -> None:  # fmt: skip
    """Fill `rows` rows of panels from the data at the address `data`, by a `converter` or a `spreader`.

    `index` points at the first row's index; `known` indices are there, those beyond `rows` belong to rows to prefetch.
    """
    source = cast_address(data, np.uint8(0))
    call(convert, (source, index, rows, known, n_in, number(out, scale), out, panel))


@body
def _gather_block(data: Any, index: Any, scale: Any, out: Any, first: int, count: int) -> None:
    panels = scratch(out, count, out.shape[1])
    panel = panels.shape[1] * panels.shape[2]
    known = len(index) - first
    start = pointer(panels, 0)
    _convert_rows(pointer(data, 0), pointer(index, first), count, known, data.shape[1], scale, start, panel)
    unpack_rows(panels, out, first, count)
    keep_alive((panels,))


@driver
def gather(data: Any, index: Any, scale: float, out: Any) -> None:
    """``out = data[index] · scale`` in the dtype of `out`.

    Parameters
    ----------
    data : numpy.ndarray (n, n_in)
        Of any real dtype.
    index : numpy.ndarray of int64 (batch,)
        Rows of ``data``.
    scale : float
    out : numpy.ndarray (batch, n_in)
        Overwritten.
    """
    n = len(index)
    factor = out.dtype.type(scale)
    for block in prange((n + ROWS - 1) // ROWS):
        first = np.int64(block) * ROWS
        _gather_block(data, index, factor, out, first, min(n - first, ROWS))
