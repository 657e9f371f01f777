"""ReLU, batch norm, and the two fused in either order (Ioffe & Szegedy 2015, section 3).

``z``, ``out``, ``dout``, ``dz (batch, n)``; ``mean``, ``inv_std``, ``gamma``, ``beta (n,)``; statistics of the batch,
``inv_std = 1 / sqrt(var + eps)`` with the biased variance.

The bodies take pointers to panels. ``pre`` is what is normalised: ``relu(z)``, or ``z`` with the ReLU behind (`relu`).
Statistics are sums over fixed blocks of rows, merged in block order; each block's are two vectors side by side.
"""

from typing import Any

import numpy as np
from numba import prange

from fastmlp.compilation.jit import body, driver
from fastmlp.kernels._panels import pack_strip, unpack_strip
from fastmlp.simd import vector as v
from fastmlp.simd.pointer import keep_alive, number, offset, pointer
from fastmlp.simd.target import VECTOR_BYTES

BLOCK = 16  # rows to a partial sum in the drivers
ELEMENTS = 4096  # of an elementwise driver's block


@body
def block_moments(pre: Any, rows: int, n: int, panel: int, moments: Any) -> None:
    """Sum and summed squared distance from the block's own mean, of every feature of a block of rows.

    The second pass finds the rows in the nearest cache: a block holds at least 8 rows and at most 1/64 of the batch.
    """
    lanes = v.lanes(pre)
    zero = v.splat(number(pre, 0.0))
    count = v.splat(number(pre, rows))  # a quotient, not a product: equal values must have exactly their mean
    for j in range(0, n, lanes):
        start = offset(pre, j // lanes * panel)
        total = zero
        for r in range(rows):
            total = v.add(total, v.load(offset(start, r * lanes)))
        mean = v.divide(total, count)
        squares = zero
        for r in range(rows):
            distance = v.subtract(v.load(offset(start, r * lanes)), mean)
            squares = v.fma(distance, distance, squares)
        v.store(total, offset(moments, 2 * j))
        v.store(squares, offset(moments, 2 * j + lanes))


@body
def merge_moments(moments: Any, stride: int, block: int, rows: int, n: int, eps: float, mean: Any, inv_std: Any,
                  var: Any) -> None:  # fmt: skip
    """Statistics of the batch from those of its blocks, `stride` elements apart (Chan, Golub & LeVeque 1983)."""
    lanes = v.lanes(mean)
    zero = v.splat(number(mean, 0.0))
    all_rows = v.splat(number(mean, rows))
    blocks = (rows + block - 1) // block
    for j in range(0, n, lanes):
        total = zero
        for b in range(blocks):
            total = v.add(total, v.load(offset(moments, b * stride + 2 * j)))
        centre = v.divide(total, all_rows)
        squares = zero
        for b in range(blocks):
            count = v.splat(number(mean, min(block, rows - b * block)))
            at_block = offset(moments, b * stride + 2 * j)
            distance = v.subtract(v.divide(v.load(at_block), count), centre)
            weighted = v.multiply(distance, count)
            squares = v.add(squares, v.fma(weighted, distance, v.load(offset(at_block, lanes))))
        variance = v.divide(squares, all_rows)
        root = v.square_root(v.add(variance, v.splat(number(mean, eps))))
        v.store(centre, offset(mean, j))
        v.store(v.divide(v.splat(number(mean, 1.0)), root), offset(inv_std, j))
        v.store(variance, offset(var, j))


@body
def normalise_rows(pre: Any, mean: Any, inv_std: Any, gamma: Any, beta: Any, rows: int, n: int, panel: int, relu: bool,
                   out: Any) -> None:  # fmt: skip
    """``out = gamma · (pre - mean) · inv_std + beta``, and its positive part with `relu`."""
    lanes = v.lanes(pre)
    for j in range(0, n, lanes):
        centre, scale = v.load(offset(mean, j)), v.load(offset(inv_std, j))
        factor, shift = v.load(offset(gamma, j)), v.load(offset(beta, j))
        start = j // lanes * panel
        for r in range(rows):
            here = start + r * lanes
            value = v.multiply(v.subtract(v.load(offset(pre, here)), centre), scale)
            value = v.fma(factor, value, shift)
            v.store(v.relu(value) if relu else value, offset(out, here))


@body
def block_gradient_sums(pre: Any, mean: Any, inv_std: Any, dout: Any, rows: int, n: int, panel: int, sums: Any,
                        ) -> None:  # fmt: skip
    """Σ dout and Σ dout · normalised of every feature of a block of rows."""
    lanes = v.lanes(pre)
    zero = v.splat(number(pre, 0.0))
    for j in range(0, n, lanes):
        centre, scale = v.load(offset(mean, j)), v.load(offset(inv_std, j))
        start = j // lanes * panel
        total, products = zero, zero
        for r in range(rows):
            gradient = v.load(offset(dout, start + r * lanes))
            normalised = v.multiply(v.subtract(v.load(offset(pre, start + r * lanes)), centre), scale)
            total = v.add(total, gradient)
            products = v.fma(gradient, normalised, products)
        v.store(total, offset(sums, 2 * j))
        v.store(products, offset(sums, 2 * j + lanes))


@body
def merge_gradient_sums(sums: Any, stride: int, blocks: int, n: int, dgamma: Any, dbeta: Any) -> None:
    """Add the sums of the blocks: the gradients of γ and β."""
    lanes = v.lanes(sums)
    for j in range(0, n, lanes):
        total = products = v.splat(number(sums, 0.0))
        for b in range(blocks):
            total = v.add(total, v.load(offset(sums, b * stride + 2 * j)))
            products = v.add(products, v.load(offset(sums, b * stride + 2 * j + lanes)))
        v.store(total, offset(dbeta, j))
        v.store(products, offset(dgamma, j))


@body
def normalise_backward_rows(pre: Any, mean: Any, inv_std: Any, gamma: Any, dgamma: Any, dbeta: Any, count: int,
                            rows: int, n: int, panel: int, masked: bool, dz: Any) -> None:  # fmt: skip
    """Turn the gradient of the output in `dz` into that of ``pre``, and of z below a ReLU where `masked`.

    ``dz = gamma · inv_std · (dz - (dbeta + normalised · dgamma) / count)``, `count` the rows of the batch.
    """
    lanes = v.lanes(pre)
    share = v.splat(number(pre, -1.0 / count))
    for j in range(0, n, lanes):
        centre, scale = v.load(offset(mean, j)), v.load(offset(inv_std, j))
        factor = v.multiply(v.load(offset(gamma, j)), scale)
        constant = v.multiply(v.load(offset(dbeta, j)), share)
        slope = v.multiply(v.load(offset(dgamma, j)), share)
        start = j // lanes * panel
        for r in range(rows):
            here = start + r * lanes
            value = v.load(offset(pre, here))
            normalised = v.multiply(v.subtract(value, centre), scale)
            rest = v.add(v.load(offset(dz, here)), v.fma(normalised, slope, constant))
            gradient = v.multiply(factor, rest)
            v.store(v.where_positive(value, gradient) if masked else gradient, offset(dz, here))


@body
def _relu_elements(z: Any, out: Any, first: int, last: int) -> None:
    zero = z.dtype.type(0)
    for i in range(first, last):
        out[i] = zero if zero > z[i] else z[i]


@body
def _relu_backward_elements(z: Any, dout: Any, dz: Any, first: int, last: int) -> None:
    zero = z.dtype.type(0)
    for i in range(first, last):
        dz[i] = dout[i] if z[i] > zero else zero


@driver
def relu_forward(z: Any, out: Any) -> None:
    """``out = max(z, 0)``; NaN stays NaN.

    Parameters
    ----------
    z : numpy.ndarray (batch, n)
        Linear outputs of the layer.
    out : numpy.ndarray (batch, n)
        Overwritten.
    """
    flat, flat_out = z.reshape(-1), out.reshape(-1)
    n = flat.shape[0]
    for block in prange((n + ELEMENTS - 1) // ELEMENTS):
        first = np.int64(block) * ELEMENTS
        _relu_elements(flat, flat_out, first, min(n, first + ELEMENTS))


@driver
def relu_backward(z: Any, dout: Any, dz: Any) -> None:
    """``dz = dout`` where ``z > 0``, else 0.

    Parameters
    ----------
    z : numpy.ndarray (batch, n)
        Inputs of the forward pass.
    dout : numpy.ndarray (batch, n)
        Gradient of the outputs.
    dz : numpy.ndarray (batch, n)
        Overwritten.
    """
    flat, flat_dout, flat_dz = z.reshape(-1), dout.reshape(-1), dz.reshape(-1)
    n = flat.shape[0]
    for block in prange((n + ELEMENTS - 1) // ELEMENTS):
        first = np.int64(block) * ELEMENTS
        _relu_backward_elements(flat, flat_dout, flat_dz, first, min(n, first + ELEMENTS))


@body
def _vector_of(values: Any, j: int, fill: float) -> Any:
    """The features from `j` on as one padded vector."""
    lanes = VECTOR_BYTES // values.itemsize
    out = np.full(lanes, values.dtype.type(fill), values.dtype)
    for i in range(min(lanes, len(values) - j)):
        out[i] = values[j + i]
    return out


@body
def _strip_moments(pre: Any, rows: int, eps: float) -> Any:
    """Mean, inverse deviation and variance of one panel of rows, as three vectors."""
    lanes = VECTOR_BYTES // pre.itemsize
    blocks = (rows + BLOCK - 1) // BLOCK
    moments = np.empty((blocks, 2, lanes), pre.dtype)
    for b in range(blocks):
        here = pointer(pre, b * BLOCK * lanes)
        block_moments(here, min(BLOCK, rows - b * BLOCK), lanes, np.int64(0), pointer(moments, b * 2 * lanes))
    found = np.empty((3, lanes), pre.dtype)
    merge_moments(
        pointer(moments, 0), 2 * lanes, BLOCK, rows, lanes, eps, pointer(found, 0), pointer(found, lanes),
        pointer(found, 2 * lanes),
    )  # fmt: skip
    keep_alive((moments, found))
    return found


@body
def _forward_strip(z: Any, gamma: Any, beta: Any, eps: float, relu_first: bool, out: Any, mean: Any, inv_std: Any,
                   j: int) -> None:  # fmt: skip
    """Batch norm of the features of one panel, with the ReLU before or behind."""
    rows = z.shape[0]
    lanes = VECTOR_BYTES // z.itemsize
    pre = np.empty((rows, lanes), z.dtype)
    here = pointer(pre, 0)
    pack_strip(z, np.int64(0), rows, j, here)
    if relu_first:
        for r in range(rows):
            v.store(v.relu(v.load(offset(here, r * lanes))), offset(here, r * lanes))
    found = _strip_moments(pre, rows, eps)
    scale, shift = _vector_of(gamma, j, 1.0), _vector_of(beta, j, 0.0)
    normalise_rows(here, pointer(found, 0), pointer(found, lanes), pointer(scale, 0), pointer(shift, 0), rows, lanes,
                   np.int64(0), not relu_first, here)  # fmt: skip
    unpack_strip(here, out, np.int64(0), rows, j)
    for column in range(min(lanes, z.shape[1] - j)):
        mean[j + column] = found[0, column]
        inv_std[j + column] = found[1, column]
    keep_alive((pre, found, scale, shift))


@body
def _backward_strip(z: Any, gamma: Any, beta: Any, mean: Any, inv_std: Any, dout: Any, relu_first: bool, dz: Any,
                    dgamma: Any, dbeta: Any, j: int) -> None:  # fmt: skip
    rows = z.shape[0]
    lanes = VECTOR_BYTES // z.itemsize
    panels = np.empty((3, rows, lanes), z.dtype)
    pre, gradient, out = pointer(panels, 0), pointer(panels, rows * lanes), pointer(panels, 2 * rows * lanes)
    pack_strip(z, np.int64(0), rows, j, pre)
    pack_strip(dout, np.int64(0), rows, j, gradient)
    centre, scale = _vector_of(mean, j, 0.0), _vector_of(inv_std, j, 1.0)
    factor, shift = _vector_of(gamma, j, 1.0), _vector_of(beta, j, 0.0)
    zero = np.int64(0)
    if relu_first:
        for r in range(rows):
            v.store(v.relu(v.load(offset(pre, r * lanes))), offset(pre, r * lanes))
    else:
        normalise_rows(pre, pointer(centre, 0), pointer(scale, 0), pointer(factor, 0), pointer(shift, 0), rows, lanes,
                       zero, True, out)  # fmt: skip
        for r in range(rows):
            passed = v.where_positive(v.load(offset(out, r * lanes)), v.load(offset(gradient, r * lanes)))
            v.store(passed, offset(gradient, r * lanes))
    blocks = (rows + BLOCK - 1) // BLOCK
    sums = np.empty((blocks, 2, lanes), z.dtype)
    for b in range(blocks):
        start = b * BLOCK * lanes
        block_gradient_sums(offset(pre, start), pointer(centre, 0), pointer(scale, 0), offset(gradient, start),
                            min(BLOCK, rows - b * BLOCK), lanes, zero, pointer(sums, b * 2 * lanes))  # fmt: skip
    merged = np.empty((2, lanes), z.dtype)
    merge_gradient_sums(pointer(sums, 0), 2 * lanes, blocks, lanes, pointer(merged, 0), pointer(merged, lanes))
    normalise_backward_rows(pre, pointer(centre, 0), pointer(scale, 0), pointer(factor, 0), pointer(merged, 0),
                            pointer(merged, lanes), rows, rows, lanes, zero, relu_first, gradient)  # fmt: skip
    unpack_strip(gradient, dz, zero, rows, j)
    for column in range(min(lanes, len(dgamma) - j)):
        dgamma[j + column] = merged[0, column]
        dbeta[j + column] = merged[1, column]
    keep_alive((panels, centre, scale, factor, shift, sums, merged))


@driver
def relu_batchnorm_forward(z: Any, eps: float, out: Any, mean: Any, inv_std: Any) -> None:
    """``out = (relu(z) - mean) · inv_std``, statistics of ``relu(z)`` per feature.

    Source: Ioffe and Szegedy, "Batch Normalization" (2015), section 3; the variance is the biased one.

    Parameters
    ----------
    z : numpy.ndarray (batch, n)
        Linear outputs of the layer.
    eps : float
        Added to the variance, above 0.
    out : numpy.ndarray (batch, n)
        Overwritten.
    mean, inv_std : numpy.ndarray (n,)
        Statistics of the batch, ``inv_std = 1 / sqrt(var + eps)``; overwritten.
    """
    none = np.empty(0, z.dtype)
    lanes = VECTOR_BYTES // z.itemsize
    for p in prange((z.shape[1] + lanes - 1) // lanes):
        _forward_strip(z, none, none, eps, True, out, mean, inv_std, np.int64(p) * lanes)


@driver
def relu_batchnorm_backward(z: Any, mean: Any, inv_std: Any, dout: Any, dz: Any) -> None:
    """Gradient through the normalisation, its statistics and the ReLU.

    With ``x̂ = (relu(z) - mean) · inv_std``: ``dz = inv_std · (dout - mean(dout) - x̂ · mean(dout · x̂))`` where
    ``z > 0``, else 0; the means are those over the batch.

    Parameters
    ----------
    z : numpy.ndarray (batch, n)
        Inputs of the forward pass.
    mean, inv_std : numpy.ndarray (n,)
        As the forward pass left them.
    dout : numpy.ndarray (batch, n)
        Gradient of the outputs.
    dz : numpy.ndarray (batch, n)
        Overwritten.
    """
    none = np.empty(0, z.dtype)
    lanes = VECTOR_BYTES // z.itemsize
    for p in prange((z.shape[1] + lanes - 1) // lanes):
        _backward_strip(z, none, none, mean, inv_std, dout, True, dz, none, none, np.int64(p) * lanes)


@driver
def batchnorm_relu_forward(z: Any, gamma: Any, beta: Any, eps: float, out: Any, mean: Any, inv_std: Any) -> None:
    """``out = relu(gamma · (z - mean) · inv_std + beta)``, statistics of ``z`` per feature.

    Source: Ioffe and Szegedy, "Batch Normalization" (2015), section 3; the variance is the biased one.

    Parameters
    ----------
    z : numpy.ndarray (batch, n)
        Linear outputs of the layer.
    gamma, beta : numpy.ndarray (n,)
        Scale and shift.
    eps : float
        Added to the variance, above 0.
    out : numpy.ndarray (batch, n)
        Overwritten.
    mean, inv_std : numpy.ndarray (n,)
        Statistics of the batch, ``inv_std = 1 / sqrt(var + eps)``; overwritten.
    """
    lanes = VECTOR_BYTES // z.itemsize
    for p in prange((z.shape[1] + lanes - 1) // lanes):
        _forward_strip(z, gamma, beta, eps, False, out, mean, inv_std, np.int64(p) * lanes)


@driver
def batchnorm_relu_backward(
    z: Any, gamma: Any, beta: Any, mean: Any, inv_std: Any, dout: Any, dz: Any, dgamma: Any, dbeta: Any
) -> None:
    """Gradient through the ReLU, γ and β, and the normalisation with its statistics.

    With ``x̂ = (z - mean) · inv_std`` and ``dy = dout`` where the ReLU let it through, else 0: ``dbeta = Σ dy``,
    ``dgamma = Σ dy · x̂`` and ``dz = gamma · inv_std · (dy - mean(dy) - x̂ · mean(dy · x̂))``.

    Parameters
    ----------
    z : numpy.ndarray (batch, n)
        Inputs of the forward pass.
    gamma, beta : numpy.ndarray (n,)
        Scale and shift.
    mean, inv_std : numpy.ndarray (n,)
        As the forward pass left them.
    dout : numpy.ndarray (batch, n)
        Gradient of the outputs.
    dz : numpy.ndarray (batch, n)
        Overwritten.
    dgamma, dbeta : numpy.ndarray (n,)
        Summed over the batch; overwritten.
    """
    lanes = VECTOR_BYTES // z.itemsize
    for p in prange((z.shape[1] + lanes - 1) // lanes):
        _backward_strip(z, gamma, beta, mean, inv_std, dout, False, dz, dgamma, dbeta, np.int64(p) * lanes)
