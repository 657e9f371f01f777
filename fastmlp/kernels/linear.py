"""The linear layer and its gradients.

``x (batch, n_in)``, ``weight (n_in, n_out)``, ``bias (n_out,)``, ``dout (batch, n_out)``. The bodies take pointers to
panels (`fastmlp.simd.gemm`): rows of the mini-batch ``panel`` elements apart from panel to panel, ``weight`` as
``[n_out / lanes][n_in padded][lanes]``, ``transposed`` as ``[n_in / lanes][n_out padded][lanes]``.
"""

from typing import Any

import numpy as np
from numba import prange

from fastmlp.compilation.jit import body, driver, inlined
from fastmlp.kernels._lists import list_rows
from fastmlp.kernels._panels import pack_rows, pack_strip, scratch, unpack_rows
from fastmlp.simd import gemm
from fastmlp.simd import vector as v
from fastmlp.simd.gemm import LISTED
from fastmlp.simd.pointer import keep_alive, number, offset, pointer
from fastmlp.simd.target import VECTOR_BYTES

ROWS = 96  # most rows of a driver's block: their panels stay in a 512 KB cache for layers up to 1024
SUM_ROWS = LISTED  # of one partial sum of dW: a tile's 3 panels of 128 rows fill 24 KB of a 32 KB cache
TILE_PANELS = 2  # panels of dz to a tile


@inlined
def padded(n: int, multiple: int) -> int:
    return (n + multiple - 1) // multiple * multiple


@body
def forward_rows(x: Any, weight: Any, bias: Any, out: Any, rows: int, n_in: int, n_out: int, panel: int,
                 relu: bool) -> None:  # fmt: skip
    """``out = x·weight + bias``, with `relu` its positive part; up to 3 rows of padding are computed too."""
    zero = number(x, 0.0)
    weight_panel = padded(n_in, v.lanes(x)) * v.lanes(x)
    if relu:
        gemm.forward_relu(x, weight, out, bias, padded(rows, 4), n_out, n_in, panel, weight_panel, panel, zero, zero)
    else:
        gemm.forward(x, weight, out, bias, padded(rows, 4), n_out, n_in, panel, weight_panel, panel, zero, zero)


@body
def backward_rows(dout: Any, transposed: Any, mask: Any, dx: Any, rows: int, n_in: int, n_out: int, panel: int,
                  masked: bool) -> None:  # fmt: skip
    """``dx = dout·weightᵀ``, where `masked` only where ``mask`` (laid out as dx) is above 0."""
    zero = number(dx, 0.0)
    weight_panel = padded(n_out, v.lanes(dx)) * v.lanes(dx)
    if masked:
        gemm.backward_masked(
            dout, transposed, dx, mask, padded(rows, 4), n_in, n_out, panel, weight_panel, panel, zero, zero
        )
    else:
        gemm.backward(dout, transposed, dx, dx, padded(rows, 4), n_in, n_out, panel, weight_panel, panel, zero, zero)


@body
def scaled_column_sums(dout: Any, rows: int, rate: Any, out: Any) -> None:
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


@inlined
def tile_at(tile: int, inputs: int, outputs: int) -> Any:
    """The panels of inputs and of outputs at which a tile starts: one of inputs by `TILE_PANELS` of outputs.

    The longer side is cut: a thread with neighbouring tiles reads a part of the wider of x and dout.
    """
    groups = (outputs + TILE_PANELS - 1) // TILE_PANELS
    if inputs >= groups:
        return tile // groups, tile % groups * TILE_PANELS
    return tile % inputs, tile // inputs * TILE_PANELS


@body
def update_tiles(x: Any, dout: Any, weight: Any, transposed: Any, bias: Any, first: int, last: int, rows: int,
                 n_in: int, n_out: int, panel: int, rate: float, keep: float, has_transposed: bool,
                 lists: Any = None) -> None:  # fmt: skip
    """``weight = keep · weight - rate · xᵀ·dout`` and ``bias -= rate · Σ dout``, for tiles ``first … last - 1``.

    The gradient goes from the registers into the weights; `transposed` is refreshed behind it. With memory for `lists`
    rows that are zero in all columns of a register tile are left out.
    """
    lanes = v.lanes(x)
    inputs = (n_in + lanes - 1) // lanes
    outputs = (n_out + lanes - 1) // lanes
    square = lanes * lanes
    down = number(x, -rate)
    for start in range(0, rows, SUM_ROWS):
        count = min(SUM_ROWS, rows - start)
        kept = number(x, keep if start == 0 else 1.0)
        listed = -1
        for tile in range(first, last):
            k, j = tile_at(tile, inputs, outputs)
            here, strip = offset(weight, (j * inputs + k) * square), offset(x, k * panel + start * lanes)
            height, columns = min(lanes, padded(n_in - k * lanes, 4)), min(TILE_PANELS * lanes, n_out - j * lanes)
            gradient = offset(dout, j * panel + start * lanes)
            if lists is not None:
                if k != listed:
                    list_rows(strip, height, count, lists)
                    listed = k
                gemm.update_listed(
                    strip, gradient, here, here, height, columns, count, np.int64(0), panel, inputs * square, down,
                    kept, lists,
                )  # fmt: skip
            else:
                gemm.update(
                    strip, gradient, here, here, height, columns, count, np.int64(0), panel, inputs * square, down, kept
                )
            if start + SUM_ROWS >= rows:
                for p in range(min(TILE_PANELS, outputs - j)):
                    if has_transposed:
                        v.transpose_tile(
                            offset(here, p * inputs * square), offset(transposed, (k * outputs + j + p) * square)
                        )
                    if k == 0:
                        scaled_column_sums(offset(dout, (j + p) * panel), rows, down, offset(bias, (j + p) * lanes))


@body
def _weight_panels(weight: Any) -> Any:
    """Uninitialised panels for a weight matrix, without rows to spare."""
    lanes = VECTOR_BYTES // weight.itemsize
    return np.empty((padded(weight.shape[1], lanes) // lanes, padded(weight.shape[0], lanes), lanes), weight.dtype)


@body
def _pack_transposed_strip(weight: Any, p: int, panels: Any) -> None:
    """Write rows ``p · lanes …`` of weight, as columns, to panel `p`."""
    lanes = panels.shape[2]
    tile = np.zeros((lanes, lanes), weight.dtype)
    start = pointer(tile, 0)
    count = min(lanes, weight.shape[0] - p * lanes)
    for j in range(0, weight.shape[1], lanes):
        pack_strip(weight, p * lanes, count, j, start)
        v.transpose_tile(start, pointer(panels, (p * panels.shape[1] + j) * lanes))
    keep_alive((tile, panels))


@body
def _block_rows(n: int) -> int:
    """Rows of a driver's block, at most `ROWS`: four blocks or a multiple, as many for each of 2 or 4 threads."""
    blocks = padded(n // ROWS + 1, 4)
    return max(4, padded((n + blocks - 1) // blocks, 4))


@body
def _padded_copy(vector: Any) -> Any:
    lanes = VECTOR_BYTES // vector.itemsize
    copy = np.zeros(padded(len(vector), lanes), vector.dtype)
    copy[: len(vector)] = vector
    return copy


@body
def _forward_block(x: Any, packed: Any, bias: Any, out: Any, first: int, count: int) -> None:
    n_in, n_out = x.shape[1], out.shape[1]
    inputs = scratch(x, count, n_in)
    # one stride serves inputs and outputs: panels of one batch have the same number of rows
    outputs = scratch(x, count, n_out)
    pack_rows(x, first, count, inputs)
    panel = inputs.shape[1] * inputs.shape[2]
    forward_rows(
        pointer(inputs, 0), pointer(packed, 0), pointer(bias, 0), pointer(outputs, 0), count, n_in, n_out, panel, False
    )
    unpack_rows(outputs, out, first, count)
    keep_alive((inputs, outputs))


@body
def _dx_block(dout: Any, packed: Any, dx: Any, first: int, count: int) -> None:
    n_in, n_out = dx.shape[1], dout.shape[1]
    gradients = scratch(dout, count, n_out)
    outputs = scratch(dout, count, n_in)
    pack_rows(dout, first, count, gradients)
    panel = gradients.shape[1] * gradients.shape[2]
    start = pointer(outputs, 0)
    backward_rows(pointer(gradients, 0), pointer(packed, 0), start, start, count, n_in, n_out, panel, False)
    unpack_rows(outputs, dx, first, count)
    keep_alive((gradients, outputs))


@body
def _dweight_strip(x: Any, gradients: Any, dweight: Any, k: int) -> None:
    """Rows ``k … k + lanes - 1`` of dweight: a column of tiles."""
    rows, n_out = x.shape[0], dweight.shape[1]
    lanes = gradients.shape[2]
    inputs = scratch(x, rows, lanes)
    pack_strip(x, np.int64(0), rows, k, pointer(inputs, 0))
    height = min(lanes, x.shape[1] - k)
    sums = np.zeros(((n_out + lanes - 1) // lanes, lanes, lanes), x.dtype)
    panel = gradients.shape[1] * lanes
    one = x.dtype.type(1)
    for start in range(0, rows, SUM_ROWS):
        count = min(SUM_ROWS, rows - start)
        out = pointer(sums, 0)
        gemm.update(
            pointer(inputs, start * lanes), pointer(gradients, start * lanes), out, out, padded(height, 4), n_out,
            count, np.int64(0), panel, lanes * lanes, one, one,
        )  # fmt: skip
    unpack_rows(sums, dweight, k, height)
    keep_alive((inputs, sums))


@body
def _sum_strip(gradients: Any, rows: int, p: int, dbias: Any) -> None:
    lanes = gradients.shape[2]
    total = np.zeros(lanes, dbias.dtype)
    panel = gradients.shape[1] * lanes
    scaled_column_sums(pointer(gradients, p * panel), rows, dbias.dtype.type(1), pointer(total, 0))
    for column in range(min(lanes, len(dbias) - p * lanes)):
        dbias[p * lanes + column] = total[column]
    keep_alive((total, gradients))


@driver
def linear_forward(x: Any, weight: Any, bias: Any, out: Any) -> None:
    """``out = x @ weight + bias``.

    Parameters
    ----------
    x : numpy.ndarray (batch, n_in)
    weight : numpy.ndarray (n_in, n_out)
    bias : numpy.ndarray (n_out,)
    out : numpy.ndarray (batch, n_out)
        Overwritten.
    """
    n, n_in = x.shape
    packed = _weight_panels(weight)
    for p in prange(packed.shape[0]):
        start = pointer(packed, p * packed.shape[1] * packed.shape[2])
        pack_strip(weight, np.int64(0), n_in, p * packed.shape[2], start)
    shift = _padded_copy(bias)
    rows = _block_rows(n)
    for block in prange((n + rows - 1) // rows):
        first = np.int64(block) * rows
        _forward_block(x, packed, shift, out, first, min(n - first, rows))


@driver
def linear_backward(x: Any, weight: Any, dout: Any, dx: Any, dweight: Any, dbias: Any) -> None:
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
    n, n_in = x.shape
    packed = _weight_panels(weight.T)
    for p in prange(packed.shape[0]):
        _pack_transposed_strip(weight, np.int64(p), packed)
    rows = _block_rows(n)
    for block in prange((n + rows - 1) // rows):
        first = np.int64(block) * rows
        _dx_block(dout, packed, dx, first, min(n - first, rows))
    gradients = scratch(dout, n, weight.shape[1])
    lanes = gradients.shape[2]
    for p in prange(gradients.shape[0]):
        pack_strip(dout, np.int64(0), n, p * lanes, pointer(gradients, p * gradients.shape[1] * lanes))
        _sum_strip(gradients, n, np.int64(p), dbias)
    for k in prange((n_in + lanes - 1) // lanes):
        _dweight_strip(x, gradients, dweight, np.int64(k) * lanes)
