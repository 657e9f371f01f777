"""Softmax and its cross-entropy, rows shifted by their maximum so that no exponent is above 0.

``z (batch, n_classes)`` logits, ``y (batch,)`` class indices, ``proba`` and ``dz`` like ``z``. The bodies take
panels, whose lanes beyond the last class may hold any number.
"""

from typing import Any

import numpy as np
from numba import prange

from fastmlp.compilation.jit import body, driver
from fastmlp.kernels.checks import expect_indices, expect_matrix, expect_vector, overlapping, refuse
from fastmlp.kernels.panels import Panels, pack_rows, panels_in, rows_of, scratch, strip_of, unpack_rows
from fastmlp.kernels.targets import Targets, weight_of
from fastmlp.simd import vector as v
from fastmlp.simd.elementary import exp, log
from fastmlp.simd.kinds import Array, Number, Pointer, Vector
from fastmlp.simd.pointer import keep_alive, number, offset, pointer
from fastmlp.simd.sizes import ceil_divide

ROWS = 64  # rows of a driver's block; the cost is summed block by block, so the blocks fix its bits
TOGETHER = 4  # rows that are computed side by side: the operations of one row wait for each other
PRODUCT_ROWS = 16  # rows that share a logarithm: the product of their sums is at most n_classes^16, inside float64


@body
def _logits(z: Pointer, j: int, form: Panels, limit: Vector) -> Vector:
    """The vector of classes from `j` on; lanes beyond the last class are -inf, whose exponential is 0."""
    value = v.load(offset(z, j // v.lanes(z) * form.stride))
    return v.minimum(limit, value) if j + v.lanes(z) > form.columns else value


@body
def _limit(z: Panels) -> Vector:
    """What the logits of the last panel may be at most: nothing beyond the last class."""
    used = z.columns - (z.columns - 1) // v.lanes(z.start) * v.lanes(z.start)
    return v.first_lanes(v.splat(number(z.start, np.inf)), used, number(z.start, -np.inf))


@body
def _exponentials(z: Panels, limit: Vector) -> tuple[Any, Any]:
    """Turn the first `TOGETHER` rows of logits into ``exp(z - max)``; return their sums and their maxima."""
    lanes = v.lanes(z.start)
    a, b, c, d = z.start, offset(z.start, lanes), offset(z.start, 2 * lanes), offset(z.start, 3 * lanes)
    lowest = v.splat(number(a, -np.inf))
    max_a, max_b, max_c, max_d = lowest, lowest, lowest, lowest
    for j in range(0, z.columns, lanes):
        max_a = v.maximum(max_a, _logits(a, j, z, limit))
        max_b = v.maximum(max_b, _logits(b, j, z, limit))
        max_c = v.maximum(max_c, _logits(c, j, z, limit))
        max_d = v.maximum(max_d, _logits(d, j, z, limit))
    highest = v.max_lanes(max_a), v.max_lanes(max_b), v.max_lanes(max_c), v.max_lanes(max_d)
    max_a, max_b, max_c, max_d = v.splat(highest[0]), v.splat(highest[1]), v.splat(highest[2]), v.splat(highest[3])
    zero = v.splat(number(a, 0.0))
    sum_a, sum_b, sum_c, sum_d = zero, zero, zero, zero
    for j in range(0, z.columns, lanes):
        here = j // lanes * z.stride
        exp_a = exp(v.subtract(_logits(a, j, z, limit), max_a))
        exp_b = exp(v.subtract(_logits(b, j, z, limit), max_b))
        exp_c = exp(v.subtract(_logits(c, j, z, limit), max_c))
        exp_d = exp(v.subtract(_logits(d, j, z, limit), max_d))
        v.store(exp_a, offset(a, here))
        v.store(exp_b, offset(b, here))
        v.store(exp_c, offset(c, here))
        v.store(exp_d, offset(d, here))
        sum_a, sum_b, sum_c, sum_d = v.add(sum_a, exp_a), v.add(sum_b, exp_b), v.add(sum_c, exp_c), v.add(sum_d, exp_d)
    return (v.sum_lanes(sum_a), v.sum_lanes(sum_b), v.sum_lanes(sum_c), v.sum_lanes(sum_d)), highest


@body
def _scale(z: Panels, r: int, factor: Number) -> None:
    """Multiply a row by a number."""
    lanes = v.lanes(z.start)
    by = v.splat(factor)
    for j in range(0, z.columns, lanes):
        here = offset(strip_of(z, j), r * lanes)
        v.store(v.multiply(v.load(here), by), here)


@body
def _lower(z: Panels, r: int, by: Number) -> None:
    """Subtract a number from the logits of a row."""
    lanes = v.lanes(z.start)
    for j in range(0, z.columns, lanes):
        here = offset(strip_of(z, j), r * lanes)
        v.store(v.subtract(v.load(here), v.first_lanes(v.splat(by), z.columns - j, number(z.start, 0.0))), here)


@body
def _four_means(z: Panels) -> Any:
    """The mean logit of the first `TOGETHER` rows."""
    lanes = v.lanes(z.start)
    nothing = number(z.start, 0.0)
    zero = v.splat(nothing)
    sum_a, sum_b, sum_c, sum_d = zero, zero, zero, zero
    for j in range(0, z.columns, lanes):
        here, used = strip_of(z, j), z.columns - j
        sum_a = v.add(sum_a, v.first_lanes(v.load(here), used, nothing))
        sum_b = v.add(sum_b, v.first_lanes(v.load(offset(here, lanes)), used, nothing))
        sum_c = v.add(sum_c, v.first_lanes(v.load(offset(here, 2 * lanes)), used, nothing))
        sum_d = v.add(sum_d, v.first_lanes(v.load(offset(here, 3 * lanes)), used, nothing))
    n = np.float64(z.columns)
    return v.sum_lanes(sum_a) / n, v.sum_lanes(sum_b) / n, v.sum_lanes(sum_c) / n, v.sum_lanes(sum_d) / n


@body
def softmax_rows(z: Panels) -> None:
    """Turn rows of logits into probabilities, in place; up to 3 rows of padding too."""
    limit = _limit(z)
    for start in range(0, z.rows, TOGETHER):
        totals, _ = _exponentials(rows_of(z, start, TOGETHER), limit)
        for i in range(TOGETHER):
            _scale(z, start + i, number(z.start, 1.0) / totals[i])


@body
def _position(z: Panels, targets: Targets, r: int) -> int:
    """Where the logit of the class of row `r` is."""
    label, lanes = targets.values[targets.index[r]], v.lanes(z.start)
    return r * lanes + label // lanes * z.stride + label % lanes


@body
def cross_entropy_rows(z: Panels, targets: Targets, share: float, smoothing: float) -> float:
    """Turn rows of logits into ``(softmax - target) · weight · share``, in place; return the rows' weighted cost.

    The targets are class indices. The target distribution has ``1 - smoothing`` in the row's class, and the rest in
    equal parts in all classes. Cost: ``log Σ exp(z - max) - Σ target · (z - max)``, one log for `PRODUCT_ROWS` rows of
    weight 1. Up to 3 rows of padding are turned into anything.
    """
    limit, logits, n_classes = _limit(z), z.start, z.columns
    cost, product = 0.0, 1.0
    last = z.rows - 1
    for start in range(0, z.rows, TOGETHER):
        positions = (
            _position(z, targets, start),
            _position(z, targets, min(start + 1, last)),
            _position(z, targets, min(start + 2, last)),
            _position(z, targets, min(start + 3, last)),
        )
        right = logits[positions[0]], logits[positions[1]], logits[positions[2]], logits[positions[3]]
        some = rows_of(z, start, TOGETHER)
        means = (0.0, 0.0, 0.0, 0.0)
        if smoothing > 0:
            means = _four_means(some)
        totals, highest = _exponentials(some, limit)
        for i in range(min(TOGETHER, z.rows - start)):
            weight = weight_of(targets, start + i)
            above = np.float64(right[i] - highest[i])
            if targets.stride == 0:
                product *= totals[i]
                cost -= above
            else:
                cost += weight * (log(np.float64(totals[i])) - above)
            _scale(z, start + i, number(logits, share * weight) / totals[i])
            if smoothing > 0:
                cost += weight * smoothing * (right[i] - means[i])
                _lower(z, start + i, number(logits, share * weight * smoothing / n_classes))
            logits[positions[i]] -= number(logits, share * weight * (1.0 - smoothing))
        if start % PRODUCT_ROWS == PRODUCT_ROWS - TOGETHER:
            cost += log(product)
            product = 1.0
    return cost + log(product)


@body
def right_class_rows(z: Panels, targets: Targets) -> float:
    """Return the weight of the rows whose first largest logit is their class's."""
    lanes = v.lanes(z.start)
    right = 0.0
    for r in range(z.rows):
        row = offset(z.start, r * lanes)
        best, largest = 0, row[0]
        for j in range(1, z.columns):
            value = row[j // lanes * z.stride + j % lanes]
            if value > largest:
                best, largest = j, value
        if best == targets.values[targets.index[r]]:
            right += weight_of(targets, r)
    return right


@body
def _softmax_block(z: Array, out: Array, first: int, count: int) -> None:
    panels = scratch(z, count, z.shape[1])
    rows = panels_in(panels, count, z.shape[1])
    pack_rows(z, first, rows)
    softmax_rows(rows)
    unpack_rows(rows, out, first)
    keep_alive((panels,))


@body
def _cross_entropy_block(z: Array, y: Array, proba: Array, dz: Array, first: int, count: int) -> float:
    panels = scratch(z, count, z.shape[1])
    rows = panels_in(panels, count, z.shape[1])
    pack_rows(z, first, rows)
    softmax_rows(rows)
    unpack_rows(rows, proba, first)
    pack_rows(z, first, rows)
    index, weight = np.arange(first, first + count), np.ones(1)
    targets = Targets(values=pointer(y, 0), weights=pointer(weight, 0), stride=np.int64(0), index=pointer(index, 0))
    cost = cross_entropy_rows(rows, targets, 1.0 / z.shape[0], 0.0)
    unpack_rows(rows, dz, first)
    keep_alive((panels, index, weight))
    return cost


@driver
def softmax(z: Array, out: Array) -> None:
    """``out = exp(z - max) / Σ exp(z - max)`` for every row.

    Parameters
    ----------
    z : numpy.ndarray (batch, n_classes)
        Logits.
    out : numpy.ndarray (batch, n_classes)
        Overwritten.
    """
    refuse(overlapping("z/2 -> out/2 in place", (z, out)))
    expect_matrix("out", out, z.shape[0], z.shape[1])
    n = z.shape[0]
    for block in prange(ceil_divide(n, ROWS)):
        first = np.int64(block) * ROWS
        _softmax_block(z, out, first, min(n - first, ROWS))


@driver
def softmax_cross_entropy(z: Array, y: Array, proba: Array, dz: Array) -> float:
    """``dz = (softmax(z) - onehot(y)) / batch``; return the mean cross-entropy of the batch.

    Parameters
    ----------
    z : numpy.ndarray (batch, n_classes)
        Logits.
    y : numpy.ndarray of int64 (batch,)
        Class indices.
    proba, dz : numpy.ndarray (batch, n_classes)
        The softmax, and the gradient of the mean; overwritten.

    Returns
    -------
    float
        ``-Σ log proba[row, y[row]] / batch``, natural logarithms.
    """
    refuse(overlapping("z/2 y/1/int64 -> proba/2 dz/2", (z, y, proba, dz)))
    n = z.shape[0]
    expect_vector("y", y, n)
    expect_indices("y", y, z.shape[1])
    expect_matrix("proba", proba, n, z.shape[1])
    expect_matrix("dz", dz, n, z.shape[1])
    blocks = ceil_divide(n, ROWS)
    costs = np.empty(blocks, np.float64)
    for block in prange(blocks):
        first = np.int64(block) * ROWS
        costs[block] = _cross_entropy_block(z, y, proba, dz, first, min(n - first, ROWS))
    total = 0.0
    for block in range(blocks):
        total += costs[block]
    return total / n
