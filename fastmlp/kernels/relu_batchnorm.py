"""ReLU and batch norm fused, in either order: the public kernels (Ioffe & Szegedy 2015, section 3).

``z``, ``out``, ``dout``, ``dz (batch, n)``; ``mean``, ``inv_std``, ``gamma``, ``beta (n,)``. Each thread takes one
panel of features after the other; `fastmlp.kernels.batchnorm` holds the arithmetic.
"""

import numpy as np
from numba import prange

from fastmlp.compilation.jit import body, driver
from fastmlp.kernels.batchnorm import (
    BlockSums,
    Normalisation,
    block_gradient_sums,
    block_moments,
    merge_gradient_sums,
    merge_moments,
    normalise_backward_rows,
    normalise_rows,
)
from fastmlp.kernels.checks import expect_matrix, expect_vector, overlapping, refuse
from fastmlp.kernels.panels import Panels, one_panel, pack_strip, rows_of, unpack_strip
from fastmlp.kernels.relu import relu_backward_elements, relu_elements
from fastmlp.simd.kinds import Array
from fastmlp.simd.pointer import keep_alive, pointer
from fastmlp.simd.sizes import ceil_divide
from fastmlp.simd.target import VECTOR_BYTES

BLOCK = 16  # rows of a partial sum


@body
def _vector_of(values: Array, j: int, fill: float) -> Array:
    """The features from `j` on as one padded vector."""
    lanes = VECTOR_BYTES // values.itemsize
    out = np.full(lanes, values.dtype.type(fill), values.dtype)
    for i in range(min(lanes, len(values) - j)):
        out[i] = values[j + i]
    return out


@body
def _strip_moments(pre: Panels, eps: float, found: Array) -> None:
    """Mean, inverse deviation and variance of one panel of rows, into ``found (3, lanes)``."""
    rows, lanes = pre.rows, found.shape[1]
    moments = np.empty((ceil_divide(rows, BLOCK), 2, lanes), found.dtype)
    for b in range(moments.shape[0]):
        some = rows_of(pre, b * BLOCK, min(BLOCK, rows - b * BLOCK))
        block_moments(some, pointer(moments, b * 2 * lanes))
    sums = BlockSums(start=pointer(moments, 0), stride=2 * lanes, block=BLOCK, rows=rows)
    merge_moments(sums, lanes, eps, pointer(found, 0), pointer(found, lanes), pointer(found, 2 * lanes))
    keep_alive((moments, found))


@body
def _forward_strip(
    z: Array,
    affine: tuple[Array, Array],
    eps: float,
    relu_first: bool,
    out: Array,
    statistics: tuple[Array, Array],
    j: int,
) -> None:
    """Batch norm of the features of one panel, with the ReLU before or behind; `affine` is γ and β."""
    rows, lanes = z.shape[0], VECTOR_BYTES // z.itemsize
    pre, found = np.empty((rows, lanes), z.dtype), np.empty((3, lanes), z.dtype)
    here = pointer(pre, 0)
    panel = one_panel(here, rows)
    pack_strip(z, np.int64(0), rows, j, here)
    if relu_first:
        relu_elements(here, rows * lanes, here)
    _strip_moments(panel, eps, found)
    gamma, beta = _vector_of(affine[0], j, 1.0), _vector_of(affine[1], j, 0.0)
    by = Normalisation(
        mean=pointer(found, 0), inv_std=pointer(found, lanes), gamma=pointer(gamma, 0), beta=pointer(beta, 0)
    )
    normalise_rows(panel, by, not relu_first, panel)
    unpack_strip(here, out, np.int64(0), rows, j)
    for column in range(min(lanes, z.shape[1] - j)):
        statistics[0][j + column] = found[0, column]
        statistics[1][j + column] = found[1, column]
    keep_alive((pre, found, gamma, beta))


@body
def _backward_strip(
    z: Array,
    normalisation: tuple[Array, Array, Array, Array],
    dout: Array,
    relu_first: bool,
    dz: Array,
    daffine: tuple[Array, Array],
    j: int,
) -> None:
    """Gradient of one panel; `normalisation` is mean, inverse deviation, γ and β, `daffine` their gradients."""
    rows, lanes, zero = z.shape[0], VECTOR_BYTES // z.itemsize, np.int64(0)
    panels = np.empty((3, rows, lanes), z.dtype)
    pre, gradient = pointer(panels, 0), pointer(panels, rows * lanes)
    below, above = one_panel(pre, rows), one_panel(gradient, rows)
    pack_strip(z, zero, rows, j, pre)
    pack_strip(dout, zero, rows, j, gradient)
    mean, inv_std = _vector_of(normalisation[0], j, 0.0), _vector_of(normalisation[1], j, 1.0)
    gamma, beta = _vector_of(normalisation[2], j, 1.0), _vector_of(normalisation[3], j, 0.0)
    by = Normalisation(
        mean=pointer(mean, 0), inv_std=pointer(inv_std, 0), gamma=pointer(gamma, 0), beta=pointer(beta, 0)
    )
    if relu_first:
        relu_elements(pre, rows * lanes, pre)
    else:
        out = pointer(panels, 2 * rows * lanes)
        normalise_rows(below, by, True, one_panel(out, rows))
        relu_backward_elements(out, gradient, rows * lanes, gradient)
    merged = _strip_gradient_sums(below, by, above, np.empty((2, lanes), z.dtype))
    normalise_backward_rows(below, by, pointer(merged, 0), pointer(merged, lanes), rows, relu_first, above)
    unpack_strip(gradient, dz, zero, rows, j)
    for column in range(min(lanes, len(daffine[0]) - j)):
        daffine[0][j + column] = merged[0, column]
        daffine[1][j + column] = merged[1, column]
    keep_alive((panels, mean, inv_std, gamma, beta, merged))


@body
def _strip_gradient_sums(pre: Panels, by: Normalisation, dout: Panels, merged: Array) -> Array:
    """Fill ``merged (2, lanes)`` with the gradients of γ and β of one panel; return it."""
    rows, lanes = pre.rows, merged.shape[1]
    sums = np.empty((ceil_divide(rows, BLOCK), 2, lanes), merged.dtype)
    for b in range(sums.shape[0]):
        first, count = b * BLOCK, min(BLOCK, rows - b * BLOCK)
        block_gradient_sums(rows_of(pre, first, count), by, rows_of(dout, first, count), pointer(sums, b * 2 * lanes))
    blocks = BlockSums(start=pointer(sums, 0), stride=2 * lanes, block=BLOCK, rows=rows)
    merge_gradient_sums(blocks, lanes, pointer(merged, 0), pointer(merged, lanes))
    keep_alive((sums, merged))
    return merged


@body
def _expect_vectors(z: Array, names: tuple[str, ...], vectors: tuple[Array, ...]) -> None:
    """Raise unless all vectors have an element for each feature."""
    for i in range(len(names)):
        expect_vector(names[i], vectors[i], z.shape[1])


@driver
def relu_batchnorm_forward(z: Array, eps: float, out: Array, mean: Array, inv_std: Array) -> None:
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
    refuse(overlapping("z/2 -> out/2 mean/1 inv_std/1 in place", (z, out, mean, inv_std)))
    expect_matrix("out", out, z.shape[0], z.shape[1])
    _expect_vectors(z, ("mean", "inv_std"), (mean, inv_std))
    none = np.empty(0, z.dtype)
    lanes = VECTOR_BYTES // z.itemsize
    for p in prange(ceil_divide(z.shape[1], lanes)):
        _forward_strip(z, (none, none), eps, True, out, (mean, inv_std), np.int64(p) * lanes)


@driver
def relu_batchnorm_backward(z: Array, mean: Array, inv_std: Array, dout: Array, dz: Array) -> None:
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
    refuse(overlapping("z/2 mean/1 inv_std/1 dout/2 -> dz/2 in place", (z, mean, inv_std, dout, dz)))
    expect_matrix("dout", dout, z.shape[0], z.shape[1])
    expect_matrix("dz", dz, z.shape[0], z.shape[1])
    _expect_vectors(z, ("mean", "inv_std"), (mean, inv_std))
    none = np.empty(0, z.dtype)
    lanes = VECTOR_BYTES // z.itemsize
    for p in prange(ceil_divide(z.shape[1], lanes)):
        _backward_strip(z, (mean, inv_std, none, none), dout, True, dz, (none, none), np.int64(p) * lanes)


@driver
def batchnorm_relu_forward(
    z: Array, gamma: Array, beta: Array, eps: float, out: Array, mean: Array, inv_std: Array
) -> None:
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
    names = "z/2 gamma/1 beta/1 -> out/2 mean/1 inv_std/1 in place"
    refuse(overlapping(names, (z, gamma, beta, out, mean, inv_std)))
    expect_matrix("out", out, z.shape[0], z.shape[1])
    _expect_vectors(z, ("gamma", "beta", "mean", "inv_std"), (gamma, beta, mean, inv_std))
    lanes = VECTOR_BYTES // z.itemsize
    for p in prange(ceil_divide(z.shape[1], lanes)):
        _forward_strip(z, (gamma, beta), eps, False, out, (mean, inv_std), np.int64(p) * lanes)


@driver
def batchnorm_relu_backward(
    z: Array,
    gamma: Array,
    beta: Array,
    mean: Array,
    inv_std: Array,
    dout: Array,
    dz: Array,
    dgamma: Array,
    dbeta: Array,
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
    names = "z/2 gamma/1 beta/1 mean/1 inv_std/1 dout/2 -> dz/2 dgamma/1 dbeta/1 in place"
    refuse(overlapping(names, (z, gamma, beta, mean, inv_std, dout, dz, dgamma, dbeta)))
    expect_matrix("dout", dout, z.shape[0], z.shape[1])
    expect_matrix("dz", dz, z.shape[0], z.shape[1])
    names_of_vectors = ("gamma", "beta", "mean", "inv_std", "dgamma", "dbeta")
    _expect_vectors(z, names_of_vectors, (gamma, beta, mean, inv_std, dgamma, dbeta))
    lanes = VECTOR_BYTES // z.itemsize
    for p in prange(ceil_divide(z.shape[1], lanes)):
        _backward_strip(z, (mean, inv_std, gamma, beta), dout, False, dz, (dgamma, dbeta), np.int64(p) * lanes)
