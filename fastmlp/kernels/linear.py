"""The linear layer and its gradients.

``x (batch, n_in)``, ``weight (n_in, n_out)``, ``bias (n_out,)``, ``dout (batch, n_out)``. The bodies take panels
(`fastmlp.kernels.panels`); ``transposed`` is the transpose of the weights.
"""

import numpy as np
from numba import prange

from fastmlp.compilation.jit import body, driver
from fastmlp.kernels.checks import expect_matrix, expect_vector, overlapping, refuse
from fastmlp.kernels.panels import (
    Panels,
    pack_rows,
    pack_strip,
    panels_in,
    rows_of,
    scratch,
    strip_of,
    unpack_rows,
)
from fastmlp.kernels.tiles import SUM_ROWS, Descent, Tile, factors_of, square_of, tile_at, transposed_square_of
from fastmlp.simd import gemm
from fastmlp.simd import vector as v
from fastmlp.simd.kinds import Array, Number, Pointer
from fastmlp.simd.pointer import keep_alive, number, offset, pointer
from fastmlp.simd.sizes import ceil_divide, round_up
from fastmlp.simd.target import VECTOR_BYTES
from fastmlp.simd.transpose import transpose_tile

ROWS = 96  # most rows of a driver's block: their panels stay in a 512 KB cache for layers up to 1024


@body
def forward_rows(x: Panels, weight: Panels, bias: Pointer, out: Panels, relu: bool) -> None:
    """``out = x·weight + bias``, with `relu` its positive part; up to 3 rows of padding are computed too."""
    zero = number(bias, 0.0)
    if relu:
        gemm.forward_relu(x, weight, out, bias, zero, zero)
    else:
        gemm.forward(x, weight, out, bias, zero, zero)


@body
def backward_rows(dout: Panels, transposed: Panels, mask: Pointer, dx: Panels, masked: bool) -> None:
    """``dx = dout·weightᵀ``, where `masked` only where ``mask`` (laid out as dx) is above 0."""
    zero = number(mask, 0.0)
    if masked:
        gemm.backward_masked(dout, transposed, dx, mask, zero, zero)
    else:
        gemm.backward(dout, transposed, dx, mask, zero, zero)


@body
def scaled_column_sums(dout: Pointer, rows: int, rate: Number, out: Pointer) -> None:
    """``out += rate · Σ dout`` over the rows of one panel, in four interleaved sums."""
    lanes = v.lanes(dout)
    first = second = third = fourth = v.splat(number(dout, 0.0))
    for r in range(0, rows // 4 * 4, 4):
        row = offset(dout, r * lanes)
        first = v.add(first, v.load(row))
        second = v.add(second, v.load(offset(row, lanes)))
        third = v.add(third, v.load(offset(row, 2 * lanes)))
        fourth = v.add(fourth, v.load(offset(row, 3 * lanes)))
    for r in range(rows // 4 * 4, rows):
        first = v.add(first, v.load(offset(dout, r * lanes)))
    total = v.add(v.add(first, second), v.add(third, fourth))
    v.store(v.fma(v.splat(rate), total, v.load(out)), out)


@body
def descend_biases(dout: Panels, tile: Tile, rate: Number, bias: Pointer) -> None:
    """``bias -= rate · Σ dout``, for the biases that belong to a tile: it is one of the first panel of inputs."""
    lanes = v.lanes(bias)
    if tile.k == 0:
        for p in range(tile.first, tile.last):
            scaled_column_sums(strip_of(dout, p * lanes), dout.rows, -rate, offset(bias, p * lanes))


@body
def descend_all_biases(dout: Panels, n_in: int, bias: Pointer, first: int, last: int, rate: float) -> None:
    """``bias -= rate · Σ dout``, for the biases that belong to the tiles ``first … last - 1``."""
    for i in range(first, last):
        descend_biases(dout, tile_at(i, n_in, dout.columns, v.lanes(bias)), number(bias, rate), bias)


@body
def update_tiles(
    x: Panels, dout: Panels, weight: Panels, transposed: Panels, bias: Pointer, first: int, last: int, step: Descent
) -> None:
    """``weight = keep · weight - rate · xᵀ·dout`` and ``bias -= bias_rate · Σ dout``, for tiles ``first … last - 1``.

    The gradient goes from the registers into the weights; `transposed` is refreshed behind it, unless it has no
    columns, which means that there is no transposed copy.
    """
    lanes, rate = v.lanes(bias), number(bias, step.rate)
    for start in range(0, x.rows, SUM_ROWS):
        kept = number(bias, step.keep if start == 0 else 1.0)
        for i in range(first, last):
            tile = tile_at(i, x.columns, dout.columns, lanes)
            below, above = factors_of(x, dout, tile, start, lanes)
            here = offset(weight.start, square_of(tile, tile.first, lanes))
            out = Panels(start=here, stride=weight.stride, rows=below.columns, columns=above.columns)
            gemm.update(below, above, out, here, -rate, kept)
            if start + SUM_ROWS < x.rows:
                continue
            if transposed.columns > 0:
                for p in range(tile.first, tile.last):
                    target = offset(transposed.start, transposed_square_of(tile, p, lanes))
                    transpose_tile(offset(weight.start, square_of(tile, p, lanes)), target)
            descend_biases(dout, tile, number(bias, step.bias_rate), bias)


@body
def _weight_panels(weight: Array) -> Array:
    """Return an uninitialised array for the panels of a weight matrix, without rows to spare."""
    lanes = VECTOR_BYTES // weight.itemsize
    return np.empty((ceil_divide(weight.shape[1], lanes), round_up(weight.shape[0], lanes), lanes), weight.dtype)


@body
def _pack_transposed_strip(weight: Array, p: int, panels: Array) -> None:
    """Write rows ``p · lanes …`` of weight, as columns, to panel `p`."""
    lanes = panels.shape[2]
    tile = np.zeros((lanes, lanes), weight.dtype)
    start = pointer(tile, 0)
    count = min(lanes, weight.shape[0] - p * lanes)
    for j in range(0, weight.shape[1], lanes):
        pack_strip(weight, p * lanes, count, j, start)
        transpose_tile(start, pointer(panels, (p * panels.shape[1] + j) * lanes))
    keep_alive((tile, panels))


@body
def _block_rows(n: int) -> int:
    """Return the rows of a driver's block, at most `ROWS`.

    The blocks are four or a multiple, so that 2 or 4 threads have equally many.
    """
    blocks = round_up(n // ROWS + 1, 4)
    return max(4, round_up(ceil_divide(n, blocks), 4))


@body
def _padded_copy(vector: Array) -> Array:
    lanes = VECTOR_BYTES // vector.itemsize
    copy = np.zeros(round_up(len(vector), lanes), vector.dtype)
    copy[: len(vector)] = vector
    return copy


@body
def _forward_block(x: Array, packed: Array, bias: Array, out: Array, first: int, count: int) -> None:
    n_in, n_out = x.shape[1], out.shape[1]
    inputs, outputs = scratch(x, count, n_in), scratch(x, count, n_out)
    below, above = panels_in(inputs, count, n_in), panels_in(outputs, count, n_out)
    pack_rows(x, first, below)
    forward_rows(below, panels_in(packed, n_in, n_out), pointer(bias, 0), above, False)
    unpack_rows(above, out, first)
    keep_alive((inputs, outputs))


@body
def _dx_block(dout: Array, packed: Array, dx: Array, first: int, count: int) -> None:
    n_in, n_out = dx.shape[1], dout.shape[1]
    gradients, outputs = scratch(dout, count, n_out), scratch(dout, count, n_in)
    above, below = panels_in(gradients, count, n_out), panels_in(outputs, count, n_in)
    pack_rows(dout, first, above)
    backward_rows(above, panels_in(packed, n_out, n_in), below.start, below, False)
    unpack_rows(below, dx, first)
    keep_alive((gradients, outputs))


@body
def _dweight_strip(x: Array, gradients: Array, dweight: Array, k: int) -> None:
    """Rows ``k … k + lanes - 1`` of dweight: a column of tiles."""
    rows, n_out = x.shape[0], dweight.shape[1]
    lanes = gradients.shape[2]
    height = min(lanes, x.shape[1] - k)
    inputs = scratch(x, rows, lanes)
    pack_strip(x, np.int64(0), rows, k, pointer(inputs, 0))
    sums = np.zeros((ceil_divide(n_out, lanes), lanes, lanes), x.dtype)
    below, above, out = (
        panels_in(inputs, rows, height),
        panels_in(gradients, rows, n_out),
        panels_in(sums, height, n_out),
    )
    one = x.dtype.type(1)
    for start in range(0, rows, SUM_ROWS):
        count = min(SUM_ROWS, rows - start)
        gemm.update(rows_of(below, start, count), rows_of(above, start, count), out, out.start, one, one)
    unpack_rows(out, dweight, k)
    keep_alive((inputs, sums))


@body
def _sum_strip(gradients: Array, rows: int, p: int, dbias: Array) -> None:
    lanes = gradients.shape[2]
    total = np.zeros(lanes, dbias.dtype)
    panel = gradients.shape[1] * lanes
    scaled_column_sums(pointer(gradients, p * panel), rows, dbias.dtype.type(1), pointer(total, 0))
    for column in range(min(lanes, len(dbias) - p * lanes)):
        dbias[p * lanes + column] = total[column]
    keep_alive((total, gradients))


@driver
def linear_forward(x: Array, weight: Array, bias: Array, out: Array) -> None:
    """``out = x @ weight + bias``.

    Parameters
    ----------
    x : numpy.ndarray (batch, n_in)
    weight : numpy.ndarray (n_in, n_out)
    bias : numpy.ndarray (n_out,)
    out : numpy.ndarray (batch, n_out)
        Overwritten.
    """
    refuse(overlapping("x/2 weight/2 bias/1 -> out/2", (x, weight, bias, out)))
    n, n_in = x.shape
    expect_matrix("weight", weight, n_in, weight.shape[1])
    expect_vector("bias", bias, weight.shape[1])
    expect_matrix("out", out, n, weight.shape[1])
    packed = _weight_panels(weight)
    for p in prange(packed.shape[0]):
        start = pointer(packed, p * packed.shape[1] * packed.shape[2])
        pack_strip(weight, np.int64(0), n_in, p * packed.shape[2], start)
    shift = _padded_copy(bias)
    rows = _block_rows(n)
    for block in prange(ceil_divide(n, rows)):
        first = np.int64(block) * rows
        _forward_block(x, packed, shift, out, first, min(n - first, rows))


@driver
def linear_backward(x: Array, weight: Array, dout: Array, dx: Array, dweight: Array, dbias: Array) -> None:
    """``dx = dout @ weight.T``, ``dweight = x.T @ dout``, ``dbias = dout.sum(0)``; summed over the batch.

    Parameters
    ----------
    x : numpy.ndarray (batch, n_in)
        Inputs of the forward pass.
    weight : numpy.ndarray (n_in, n_out)
    dout : numpy.ndarray (batch, n_out)
        Gradient of the outputs.
    dx, dweight, dbias : numpy.ndarray
        Shaped as ``x``, ``weight`` and ``(n_out,)``; overwritten.
    """
    names = "x/2 weight/2 dout/2 -> dx/2 dweight/2 dbias/1"
    refuse(overlapping(names, (x, weight, dout, dx, dweight, dbias)))
    n, n_in = x.shape
    expect_matrix("weight", weight, n_in, weight.shape[1])
    expect_matrix("dout", dout, n, weight.shape[1])
    expect_matrix("dx", dx, n, n_in)
    expect_matrix("dweight", dweight, n_in, weight.shape[1])
    expect_vector("dbias", dbias, weight.shape[1])
    packed = _weight_panels(weight.T)
    for p in prange(packed.shape[0]):
        _pack_transposed_strip(weight, np.int64(p), packed)
    rows = _block_rows(n)
    for block in prange(ceil_divide(n, rows)):
        first = np.int64(block) * rows
        _dx_block(dout, packed, dx, first, min(n - first, rows))
    gradients = scratch(dout, n, weight.shape[1])
    lanes = gradients.shape[2]
    for p in prange(gradients.shape[0]):
        pack_strip(dout, np.int64(0), n, p * lanes, pointer(gradients, p * gradients.shape[1] * lanes))
        _sum_strip(gradients, n, np.int64(p), dbias)
    for k in prange(ceil_divide(n_in, lanes)):
        _dweight_strip(x, gradients, dweight, np.int64(k) * lanes)
