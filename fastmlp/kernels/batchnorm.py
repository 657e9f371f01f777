"""Batch norm, and its drivers with the ReLU before or behind it (Ioffe & Szegedy 2015, section 3).

``mean``, ``inv_std``, ``gamma``, ``beta (n,)``; statistics of the batch, ``inv_std = 1 / sqrt(var + eps)`` with the
biased variance. The bodies take panels. ``pre`` is what is normalised: ``relu(z)``, or ``z`` with the ReLU behind.
Statistics are sums over fixed blocks of rows, merged in block order; each block's sums are two vectors side by side for
every panel.
"""

from typing import NamedTuple

from fastmlp.compilation.jit import body
from fastmlp.kernels.panels import Panels, strip_of
from fastmlp.simd import vector as v
from fastmlp.simd.kinds import Pointer
from fastmlp.simd.pointer import number, offset
from fastmlp.simd.sizes import ceil_divide


class Normalisation(NamedTuple):
    """Pointers to what a layer is normalised with: ``out = gamma · (pre - mean) · inv_std + beta``."""

    mean: Pointer
    inv_std: Pointer
    gamma: Pointer
    beta: Pointer


class BlockSums(NamedTuple):
    """The sums of the blocks of a batch.

    Attributes
    ----------
    start : pointer
        To the first block's.
    stride : int
        Elements from one block's to the next one's.
    block : int
        Rows of a block; the last one may have fewer.
    rows : int
        Rows of the batch.
    """

    start: Pointer
    stride: int
    block: int
    rows: int


@body
def block_moments(pre: Panels, moments: Pointer) -> None:
    """Sum and summed squared distance from the block's own mean, of every feature of a block of rows.

    The second pass finds the rows in the nearest cache: a block holds at least 8 rows and at most 1/64 of the batch.
    """
    lanes, rows = v.lanes(pre.start), pre.rows
    zero = v.splat(number(pre.start, 0.0))
    count = v.splat(number(pre.start, rows))  # a quotient, not a product: equal values must have exactly their mean
    for j in range(0, pre.columns, lanes):
        start = strip_of(pre, j)
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
def merge_moments(moments: BlockSums, n: int, eps: float, mean: Pointer, inv_std: Pointer, var: Pointer) -> None:
    """Statistics of the batch from those of its blocks (Chan, Golub & LeVeque 1983)."""
    lanes, rows, block = v.lanes(mean), moments.rows, moments.block
    zero = v.splat(number(mean, 0.0))
    all_rows = v.splat(number(mean, rows))
    blocks = ceil_divide(rows, block)
    for j in range(0, n, lanes):
        total = zero
        for b in range(blocks):
            total = v.add(total, v.load(offset(moments.start, b * moments.stride + 2 * j)))
        centre = v.divide(total, all_rows)
        squares = zero
        for b in range(blocks):
            count = v.splat(number(mean, min(block, rows - b * block)))
            at_block = offset(moments.start, b * moments.stride + 2 * j)
            distance = v.subtract(v.divide(v.load(at_block), count), centre)
            weighted = v.multiply(distance, count)
            squares = v.add(squares, v.fma(weighted, distance, v.load(offset(at_block, lanes))))
        variance = v.divide(squares, all_rows)
        root = v.square_root(v.add(variance, v.splat(number(mean, eps))))
        v.store(centre, offset(mean, j))
        v.store(v.divide(v.splat(number(mean, 1.0)), root), offset(inv_std, j))
        v.store(variance, offset(var, j))


@body
def normalise_rows(pre: Panels, by: Normalisation, relu: bool, out: Panels) -> None:
    """``out = gamma · (pre - mean) · inv_std + beta``, and its positive part with `relu`."""
    lanes = v.lanes(pre.start)
    for j in range(0, pre.columns, lanes):
        centre, scale = v.load(offset(by.mean, j)), v.load(offset(by.inv_std, j))
        factor, shift = v.load(offset(by.gamma, j)), v.load(offset(by.beta, j))
        source, target = strip_of(pre, j), strip_of(out, j)
        for r in range(pre.rows):
            value = v.multiply(v.subtract(v.load(offset(source, r * lanes)), centre), scale)
            value = v.fma(factor, value, shift)
            v.store(v.relu(value) if relu else value, offset(target, r * lanes))


@body
def block_gradient_sums(pre: Panels, by: Normalisation, dout: Panels, sums: Pointer) -> None:
    """Σ dout and Σ dout · normalised of every feature of a block of rows."""
    lanes = v.lanes(pre.start)
    zero = v.splat(number(pre.start, 0.0))
    for j in range(0, pre.columns, lanes):
        centre, scale = v.load(offset(by.mean, j)), v.load(offset(by.inv_std, j))
        source, above = strip_of(pre, j), strip_of(dout, j)
        total, products = zero, zero
        for r in range(pre.rows):
            gradient = v.load(offset(above, r * lanes))
            normalised = v.multiply(v.subtract(v.load(offset(source, r * lanes)), centre), scale)
            total = v.add(total, gradient)
            products = v.fma(gradient, normalised, products)
        v.store(total, offset(sums, 2 * j))
        v.store(products, offset(sums, 2 * j + lanes))


@body
def merge_gradient_sums(sums: BlockSums, n: int, dgamma: Pointer, dbeta: Pointer) -> None:
    """Add the sums of the blocks: the gradients of γ and β."""
    lanes = v.lanes(dgamma)
    for j in range(0, n, lanes):
        total = products = v.splat(number(dgamma, 0.0))
        for b in range(ceil_divide(sums.rows, sums.block)):
            at_block = offset(sums.start, b * sums.stride + 2 * j)
            total = v.add(total, v.load(at_block))
            products = v.add(products, v.load(offset(at_block, lanes)))
        v.store(total, offset(dbeta, j))
        v.store(products, offset(dgamma, j))


@body
def normalise_backward_rows(
    pre: Panels, by: Normalisation, dgamma: Pointer, dbeta: Pointer, batch: int, masked: bool, dz: Panels
) -> None:
    """Turn the gradient of the output in `dz` into that of ``pre``, and of z below a ReLU where `masked`.

    ``dz = gamma · inv_std · (dz - (dbeta + normalised · dgamma) / batch)``, `batch` the rows of the batch.
    """
    lanes = v.lanes(pre.start)
    share = v.splat(number(pre.start, -1.0 / batch))
    for j in range(0, pre.columns, lanes):
        centre, scale = v.load(offset(by.mean, j)), v.load(offset(by.inv_std, j))
        factor = v.multiply(v.load(offset(by.gamma, j)), scale)
        constant = v.multiply(v.load(offset(dbeta, j)), share)
        slope = v.multiply(v.load(offset(dgamma, j)), share)
        source, target = strip_of(pre, j), strip_of(dz, j)
        for r in range(pre.rows):
            value = v.load(offset(source, r * lanes))
            normalised = v.multiply(v.subtract(value, centre), scale)
            rest = v.add(v.load(offset(target, r * lanes)), v.fma(normalised, slope, constant))
            gradient = v.multiply(factor, rest)
            v.store(v.where_positive(value, gradient) if masked else gradient, offset(target, r * lanes))
