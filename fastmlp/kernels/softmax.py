"""Softmax and its cross-entropy, rows shifted by their maximum so that no exponent is above 0.

``z (batch, n_classes)`` logits, ``y (batch,)`` class indices, ``proba`` and ``dz`` like ``z``. The bodies take pointers
to panels, whose lanes beyond the last class may hold anything.
"""

from typing import Any

import numpy as np
from numba import prange

from fastmlp.compilation.jit import body, driver, inlined
from fastmlp.kernels._panels import pack_rows, scratch, unpack_rows
from fastmlp.simd import vector as v
from fastmlp.simd.elementary import exp, log
from fastmlp.simd.pointer import keep_alive, number, offset, pointer

ROWS = 64  # rows of a driver's block; the cost is summed block by block, so the blocks fix its bits
TOGETHER = 4  # rows: each is a chain of dependent operations, and a core works on several at once
PRODUCT_ROWS = 16  # rows to a log: the product of their sums is at most n_classes^16, inside float64


@body
def _logits(z: Any, j: int, n_classes: int, panel: int, limit: Any) -> Any:
    """The vector of classes from `j` on; lanes beyond the last class are -inf, whose exponential is 0."""
    value = v.load(offset(z, j // v.lanes(z) * panel))
    return v.minimum(limit, value) if j + v.lanes(z) > n_classes else value


@body
def _limit(z: Any, n_classes: int) -> Any:
    """What the logits of the last panel may be at most: nothing beyond the last class."""
    used = n_classes - (n_classes - 1) // v.lanes(z) * v.lanes(z)
    return v.first_lanes(v.splat(number(z, np.inf)), used, number(z, -np.inf))


@body
def _exponentials(z: Any, n_classes: int, panel: int, limit: Any) -> Any:
    """Turn `TOGETHER` rows of logits into ``exp(z - max)``; return their sums and their maxima."""
    lanes = v.lanes(z)
    a, b, c, d = z, offset(z, lanes), offset(z, 2 * lanes), offset(z, 3 * lanes)
    lowest = v.splat(number(z, -np.inf))
    max_a, max_b, max_c, max_d = lowest, lowest, lowest, lowest
    for j in range(0, n_classes, lanes):
        max_a = v.maximum(max_a, _logits(a, j, n_classes, panel, limit))
        max_b = v.maximum(max_b, _logits(b, j, n_classes, panel, limit))
        max_c = v.maximum(max_c, _logits(c, j, n_classes, panel, limit))
        max_d = v.maximum(max_d, _logits(d, j, n_classes, panel, limit))
    highest = v.max_lanes(max_a), v.max_lanes(max_b), v.max_lanes(max_c), v.max_lanes(max_d)
    max_a, max_b, max_c, max_d = v.splat(highest[0]), v.splat(highest[1]), v.splat(highest[2]), v.splat(highest[3])
    zero = v.splat(number(z, 0.0))
    sum_a, sum_b, sum_c, sum_d = zero, zero, zero, zero
    for j in range(0, n_classes, lanes):
        here = j // lanes * panel
        exp_a = exp(v.subtract(_logits(a, j, n_classes, panel, limit), max_a))
        exp_b = exp(v.subtract(_logits(b, j, n_classes, panel, limit), max_b))
        exp_c = exp(v.subtract(_logits(c, j, n_classes, panel, limit), max_c))
        exp_d = exp(v.subtract(_logits(d, j, n_classes, panel, limit), max_d))
        v.store(exp_a, offset(a, here))
        v.store(exp_b, offset(b, here))
        v.store(exp_c, offset(c, here))
        v.store(exp_d, offset(d, here))
        sum_a, sum_b, sum_c, sum_d = v.add(sum_a, exp_a), v.add(sum_b, exp_b), v.add(sum_c, exp_c), v.add(sum_d, exp_d)
    return (v.sum_lanes(sum_a), v.sum_lanes(sum_b), v.sum_lanes(sum_c), v.sum_lanes(sum_d)), highest


@body
def _scale(z: Any, n_classes: int, panel: int, factor: Any) -> None:
    lanes = v.lanes(z)
    by = v.splat(factor)
    for j in range(0, n_classes, lanes):
        here = offset(z, j // lanes * panel)
        v.store(v.multiply(v.load(here), by), here)


@body
def _lower(z: Any, n_classes: int, panel: int, by: Any) -> None:
    """Subtract a number from the logits of a row."""
    lanes = v.lanes(z)
    for j in range(0, n_classes, lanes):
        here = offset(z, j // lanes * panel)
        v.store(v.subtract(v.load(here), v.first_lanes(v.splat(by), n_classes - j, number(z, 0.0))), here)


@body
def _four_means(z: Any, n_classes: int, panel: int) -> Any:
    """The mean logit of `TOGETHER` rows."""
    lanes = v.lanes(z)
    nothing = number(z, 0.0)
    zero = v.splat(nothing)
    sum_a, sum_b, sum_c, sum_d = zero, zero, zero, zero
    for j in range(0, n_classes, lanes):
        here, used = offset(z, j // lanes * panel), n_classes - j
        sum_a = v.add(sum_a, v.first_lanes(v.load(here), used, nothing))
        sum_b = v.add(sum_b, v.first_lanes(v.load(offset(here, lanes)), used, nothing))
        sum_c = v.add(sum_c, v.first_lanes(v.load(offset(here, 2 * lanes)), used, nothing))
        sum_d = v.add(sum_d, v.first_lanes(v.load(offset(here, 3 * lanes)), used, nothing))
    n = np.float64(n_classes)
    return v.sum_lanes(sum_a) / n, v.sum_lanes(sum_b) / n, v.sum_lanes(sum_c) / n, v.sum_lanes(sum_d) / n


@body
def softmax_rows(z: Any, rows: int, n_classes: int, panel: int) -> None:
    """Turn rows of logits into probabilities, in place; up to 3 rows of padding too."""
    limit = _limit(z, n_classes)
    for start in range(0, rows, TOGETHER):
        totals, _ = _exponentials(offset(z, start * v.lanes(z)), n_classes, panel, limit)
        for i in range(TOGETHER):
            _scale(offset(z, (start + i) * v.lanes(z)), n_classes, panel, number(z, 1.0) / totals[i])


@inlined
def _position(labels: Any, index: Any, r: int, panel: int, lanes: int) -> int:
    """Where the logit of the class of row `r` is."""
    label = labels[index[r]]
    return r * lanes + label // lanes * panel + label % lanes


@body
def cross_entropy_rows(z: Any, labels: Any, weights: Any, stride: int, index: Any, rows: int, n_classes: int,
                       panel: int, share: float, smoothing: float) -> float:  # fmt: skip
    """Turn rows of logits into ``(softmax - target) · weight · share``, in place; return the rows' weighted cost.

    Row r is number ``index[r]`` of the data, with ``labels`` at it and ``weights`` at `stride` times it; a stride of 0
    is one weight for all, which is 1. The target has ``1 - smoothing`` in the row's class, and the rest in equal parts
    in all classes. Cost: ``log Σ exp(z - max) - Σ target · (z - max)``, one log for `PRODUCT_ROWS` rows of weight 1. Up
    to 3 rows of padding are turned into anything.
    """
    lanes = v.lanes(z)
    limit = _limit(z, n_classes)
    cost, product = 0.0, 1.0
    last = rows - 1
    for start in range(0, rows, TOGETHER):
        positions = (
            _position(labels, index, start, panel, lanes),
            _position(labels, index, min(start + 1, last), panel, lanes),
            _position(labels, index, min(start + 2, last), panel, lanes),
            _position(labels, index, min(start + 3, last), panel, lanes),
        )
        targets = z[positions[0]], z[positions[1]], z[positions[2]], z[positions[3]]
        means = (0.0, 0.0, 0.0, 0.0)
        if smoothing > 0:
            means = _four_means(offset(z, start * lanes), n_classes, panel)
        totals, highest = _exponentials(offset(z, start * lanes), n_classes, panel, limit)
        for i in range(min(TOGETHER, rows - start)):
            row = offset(z, (start + i) * lanes)
            weight = weights[index[start + i] * stride]
            above = np.float64(targets[i] - highest[i])
            if stride == 0:
                product *= totals[i]
                cost -= above
            else:
                cost += weight * (log(np.float64(totals[i])) - above)
            _scale(row, n_classes, panel, number(z, share * weight) / totals[i])
            if smoothing > 0:
                cost += weight * smoothing * (targets[i] - means[i])
                _lower(row, n_classes, panel, number(z, share * weight * smoothing / n_classes))
            z[positions[i]] -= number(z, share * weight * (1.0 - smoothing))
        if start % PRODUCT_ROWS == PRODUCT_ROWS - TOGETHER:
            cost += log(product)
            product = 1.0
    return cost + log(product)


@body
def right_class_rows(z: Any, labels: Any, weights: Any, stride: int, index: Any, rows: int, n_classes: int, panel: int,
                     ) -> float:  # fmt: skip
    """The weight of the rows whose first largest logit is their class's; the data are as for the cross-entropy."""
    lanes = v.lanes(z)
    right = 0.0
    for r in range(rows):
        row = offset(z, r * lanes)
        best, largest = 0, row[0]
        for j in range(1, n_classes):
            value = row[j // lanes * panel + j % lanes]
            if value > largest:
                best, largest = j, value
        if best == labels[index[r]]:
            right += weights[index[r] * stride]
    return right


@body
def _softmax_block(z: Any, out: Any, first: int, count: int) -> None:
    panels = scratch(z, count, z.shape[1])
    pack_rows(z, first, count, panels)
    softmax_rows(pointer(panels, 0), count, z.shape[1], panels.shape[1] * panels.shape[2])
    unpack_rows(panels, out, first, count)


@body
def _cross_entropy_block(z: Any, y: Any, proba: Any, dz: Any, first: int, count: int) -> float:
    panels = scratch(z, count, z.shape[1])
    panel = panels.shape[1] * panels.shape[2]
    pack_rows(z, first, count, panels)
    softmax_rows(pointer(panels, 0), count, z.shape[1], panel)
    unpack_rows(panels, proba, first, count)
    pack_rows(z, first, count, panels)
    rows, weight = np.arange(first, first + count), np.ones(1)
    cost = cross_entropy_rows(
        pointer(panels, 0), pointer(y, 0), pointer(weight, 0), np.int64(0), pointer(rows, 0), count, z.shape[1], panel,
        1.0 / z.shape[0], 0.0,
    )  # fmt: skip
    unpack_rows(panels, dz, first, count)
    keep_alive((panels, rows, weight))
    return cost


@driver
def softmax(z: Any, out: Any) -> None:
    """``out = exp(z - max) / Σ exp(z - max)`` for every row.

    Parameters
    ----------
    z : numpy.ndarray (batch, n_classes)
        Logits.
    out : numpy.ndarray (batch, n_classes)
        Overwritten.
    """
    n = z.shape[0]
    for block in prange((n + ROWS - 1) // ROWS):
        first = np.int64(block) * ROWS
        _softmax_block(z, out, first, min(n - first, ROWS))


@driver
def softmax_cross_entropy(z: Any, y: Any, proba: Any, dz: Any) -> float:
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
    n = z.shape[0]
    blocks = (n + ROWS - 1) // ROWS
    costs = np.empty(blocks, np.float64)
    for block in prange(blocks):
        first = np.int64(block) * ROWS
        costs[block] = _cross_entropy_block(z, y, proba, dz, first, min(n - first, ROWS))
    total = 0.0
    for block in range(blocks):
        total += costs[block]
    return total / n
