"""Softmax and its cross-entropy, rows shifted by their maximum so that no exponent is above 0.

``z (batch, n_classes)`` logits, ``y (batch,)`` class indices, ``proba`` and ``dz`` like ``z``. The bodies take pointers
to panels, whose lanes beyond the last class may hold anything.
"""

from typing import Any

import numpy as np
from numba import prange

from fastmlp.jit import body, driver
from fastmlp.kernels._panels import pack_rows, scratch, unpack_rows
from fastmlp.simd import vector as v
from fastmlp.simd.elementary import exp, log
from fastmlp.simd.pointer import keep_alive, number, offset, pointer

ROWS = 64  # rows of a driver's block; the cost is summed block by block, so the blocks fix its bits
PRODUCT_ROWS = 16  # rows to a log: the product of their sums is at most n_classes^16, inside float64


@body
def _logits(z: Any, j: int, n_classes: int, panel: int) -> Any:
    """The vector of classes from `j` on; lanes beyond the last class are -inf, whose exponential is 0."""
    value = v.load(offset(z, j // v.lanes(z) * panel))
    if j + v.lanes(z) <= n_classes:
        return value
    return v.first_lanes(value, n_classes - j, number(z, -np.inf))


@body
def _exponentials(z: Any, n_classes: int, panel: int) -> Any:
    """Turn one row of logits into ``exp(z - max)``; return their sum and the maximum."""
    lanes = v.lanes(z)
    largest = _logits(z, 0, n_classes, panel)
    for j in range(lanes, n_classes, lanes):
        largest = v.maximum(largest, _logits(z, j, n_classes, panel))
    highest = v.max_lanes(largest)
    shift = v.splat(highest)
    total = v.splat(number(z, 0.0))
    for j in range(0, n_classes, lanes):
        value = exp(v.subtract(_logits(z, j, n_classes, panel), shift))
        v.store(value, offset(z, j // lanes * panel))
        total = v.add(total, value)
    return v.sum_lanes(total), highest


@body
def _scale(z: Any, n_classes: int, panel: int, factor: Any) -> None:
    lanes = v.lanes(z)
    by = v.splat(factor)
    for j in range(0, n_classes, lanes):
        here = offset(z, j // lanes * panel)
        v.store(v.multiply(v.load(here), by), here)


@body
def softmax_rows(z: Any, rows: int, n_classes: int, panel: int) -> None:
    """Turn rows of logits into probabilities, in place."""
    for r in range(rows):
        row = offset(z, r * v.lanes(z))
        total, _ = _exponentials(row, n_classes, panel)
        _scale(row, n_classes, panel, number(z, 1.0) / total)


@body
def cross_entropy_rows(z: Any, labels: Any, index: Any, rows: int, n_classes: int, panel: int, share: float) -> float:
    """Turn rows of logits into ``(softmax - onehot) · share``, in place; return the rows' summed cost.

    The class of row r is ``labels[index[r]]``. Cost: ``log Σ exp(z - max) - (z_y - max)``, one log for `PRODUCT_ROWS`.
    """
    lanes = v.lanes(z)
    cost, product = 0.0, 1.0
    for r in range(rows):
        row = offset(z, r * lanes)
        label = labels[index[r]]
        at_label = label // lanes * panel + label % lanes
        target = row[at_label]
        total, highest = _exponentials(row, n_classes, panel)
        cost -= np.float64(target - highest)
        product *= total
        if r % PRODUCT_ROWS == PRODUCT_ROWS - 1:
            cost += log(product)
            product = 1.0
        _scale(row, n_classes, panel, number(z, share) / total)
        row[at_label] -= number(z, share)
    return cost + log(product)


@body
def count_right_rows(z: Any, labels: Any, index: Any, rows: int, n_classes: int, panel: int) -> int:
    """Count the rows whose first largest logit is that of their class ``labels[index[r]]``."""
    lanes = v.lanes(z)
    right = 0
    for r in range(rows):
        row = offset(z, r * lanes)
        best, largest = 0, row[0]
        for j in range(1, n_classes):
            value = row[j // lanes * panel + j % lanes]
            if value > largest:
                best, largest = j, value
        right += best == labels[index[r]]
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
    rows = np.arange(first, first + count)
    share = 1.0 / z.shape[0]
    cost = cross_entropy_rows(pointer(panels, 0), pointer(y, 0), pointer(rows, 0), count, z.shape[1], panel, share)
    unpack_rows(panels, dz, first, count)
    keep_alive((panels, rows))
    return cost


@driver
def softmax(z: Any, out: Any) -> None:
    """``out = exp(z - max) / Σ exp(z - max)`` for every row."""
    n = z.shape[0]
    for block in prange((n + ROWS - 1) // ROWS):
        first = np.int64(block) * ROWS
        _softmax_block(z, out, first, min(n - first, ROWS))


@driver
def softmax_cross_entropy(z: Any, y: Any, proba: Any, dz: Any) -> float:
    """``dz = (softmax(z) - onehot(y)) / batch``; return the mean cross-entropy of the batch."""
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
