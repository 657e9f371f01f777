"""The mini-batch: rows of the data set picked by index, converted, scaled and laid out as panels.

``data (n, n_in)`` of any real dtype, ``index (batch,)``, ``out`` panels ``[n_in / lanes][batch][lanes]``.
"""

import functools

import numpy as np
from numba import from_dtype, prange, types

from fastmlp.compilation.jit import body, driver
from fastmlp.kernels.checks import expect_indices, expect_matrix, overlapping, refuse
from fastmlp.kernels.panels import Panels, panels_in, panels_type, scratch, strip_of, unpack_rows
from fastmlp.simd import vector as v
from fastmlp.simd.interface import Interface
from fastmlp.simd.kinds import Array, Number, Pointer
from fastmlp.simd.pointer import cast_address, keep_alive, number, offset, pointer, prefetch
from fastmlp.simd.sizes import ceil_divide

AHEAD = 8  # rows are prefetched, as they lie at random places in the data; 4 to 8 rows ahead halve the time
ROWS = 96  # of a driver's block

# data of these types are converted row by row, others as a whole before the training
DTYPES = tuple(map(np.dtype, ("u1", "f4", "f8", "i8", "i4", "i2", "i1", "u2", "u4", "u8")))


@body
def _convert_rows(source: Pointer, index: Pointer, readable: int, scale: Number, out: Panels) -> None:
    """Fill the rows of `out`; `readable` indices are there, those beyond its rows belong to rows to prefetch."""
    lanes, n_in = v.lanes(out.start), out.columns
    ahead = max(0, min(out.rows, readable - AHEAD))
    factor = v.splat(scale)
    whole = n_in // lanes
    for r in range(out.rows):
        row = offset(source, index[r] * n_in)
        if r < ahead:
            following = offset(source, index[r + AHEAD] * n_in)
            for column in range(0, n_in, v.lanes(source)):  # a vector is as long as a cache line
                prefetch(offset(following, column))
        target = offset(out.start, r * lanes)
        for k in range(whole):
            values = v.load_converted(offset(row, k * lanes), factor)
            v.store(v.multiply(values, factor), offset(target, k * out.stride))
        if whole * lanes < n_in:
            last = offset(target, whole * out.stride)
            v.store(v.splat(number(last, 0.0)), last)
            for column in range(n_in - whole * lanes):
                last[column] = number(last, row[whole * lanes + column]) * scale


def _convert(source: Pointer, index: Pointer, readable: int, scale: Number, out: Panels) -> None:
    _convert_rows(source, index, readable, scale, out)


@body
def _clear_rows(out: Panels) -> None:
    lanes = v.lanes(out.start)
    nothing = v.splat(number(out.start, 0.0))
    for k in range(0, out.columns, lanes):
        strip = strip_of(out, k)
        for r in range(out.rows):
            v.store(nothing, offset(strip, r * lanes))


@body
def _spread_rows(
    values: Pointer, columns: Pointer, starts: Pointer, index: Pointer, scale: Number, out: Panels
) -> None:
    lanes = v.lanes(out.start)
    _clear_rows(out)
    for r in range(out.rows):
        target = offset(out.start, r * lanes)
        for i in range(starts[index[r]], starts[index[r] + 1]):
            column = np.int64(columns[i])
            target[column // lanes * out.stride + column % lanes] += values[i] * scale


def _spread(addresses: Pointer, index: Pointer, readable: int, scale: Number, out: Panels) -> None:
    values, columns = cast_address(addresses[0], scale), cast_address(addresses[1], np.int32(0))
    _spread_rows(values, columns, cast_address(addresses[2], np.int64(0)), index, scale, out)


@body
def _encode_rows(values: Pointer, layout: Pointer, n_columns: int, index: Pointer, scale: Number, out: Panels) -> None:
    lanes = v.lanes(out.start)
    _clear_rows(out)
    for r in range(out.rows):
        row, target = offset(values, index[r] * n_columns), offset(out.start, r * lanes)
        for j in range(n_columns):
            column, factor = layout[2 * j], row[j]
            if layout[2 * j + 1] != 0:
                column, factor = column + np.int64(row[j]), number(out.start, 1.0)
            target[column // lanes * out.stride + column % lanes] = factor * scale


def _encode(addresses: Pointer, index: Pointer, readable: int, scale: Number, out: Panels) -> None:
    values, layout = cast_address(addresses[0], scale), cast_address(addresses[1], np.int64(0))
    _encode_rows(values, layout, addresses[2], index, scale, out)


# (data, index, readable, scale, out): fills the rows of `out`; `index` points at the index of its first row
GATHER = Interface(
    lambda real: (types.CPointer(types.uint8), types.CPointer(types.int64), types.int64, real, panels_type(real))
)
_call = GATHER.call


@functools.cache
def spreader(target: np.dtype) -> int:
    """Return the address of what spreads sparse rows out (`fastmlp.inputs.sparse.CsrRows`), for `gather_rows`."""
    return GATHER.address(_spread, target, data=types.int64)


@functools.cache
def encoder(target: np.dtype) -> int:
    """Return the address of what spreads categories out (`fastmlp.inputs.encoded.EncodedRows`), for `gather_rows`."""
    return GATHER.address(_encode, target, data=types.int64)


@functools.cache
def converter(source: np.dtype, target: np.dtype) -> int:
    """Return the address of what converts rows from one dtype to another, for `gather_rows`."""
    return GATHER.address(_convert, target, data=from_dtype(source))


@body
def gather_rows(convert: int, data: int, index: Pointer, readable: int, scale: float, out: Panels) -> None:
    """Fill panels with rows of the data at the address `data`, by a `converter`, a `spreader` or an `encoder`.

    `index` points at the first row's index; `readable` indices are there, those beyond the rows of `out` belong to rows
    to prefetch.
    """
    _call(convert, (cast_address(data, np.uint8(0)), index, readable, number(out.start, scale), out))


@body
def _gather_block(data: Array, index: Array, scale: Number, out: Array, first: int, count: int) -> None:
    panels = scratch(out, count, out.shape[1])
    rows = panels_in(panels, count, out.shape[1])
    _convert_rows(pointer(data, 0), pointer(index, first), len(index) - first, scale, rows)
    unpack_rows(rows, out, first)
    keep_alive((panels,))


@driver
def gather(data: Array, index: Array, scale: float, out: Array) -> None:
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
    refuse(overlapping("data/2/real index/1/int64 -> out/2", (data, index, out)))
    n = len(index)
    expect_indices("index", index, data.shape[0])
    expect_matrix("out", out, n, data.shape[1])
    factor = out.dtype.type(scale)
    for block in prange(ceil_divide(n, ROWS)):
        first = np.int64(block) * ROWS
        _gather_block(data, index, factor, out, first, min(n - first, ROWS))
