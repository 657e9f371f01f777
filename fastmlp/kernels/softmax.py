"""Softmax and its cross-entropy, rows shifted by their maximum so that no exponent is above 0.

``z (batch, n_classes)`` logits, ``y (batch,)`` class indices, ``proba`` and ``dz`` like ``z``.
"""

from typing import Any

import numpy as np
from numba import prange

from fastmlp.jit import body, driver

ROWS = 32  # rows per block; the cost is summed block by block, so the blocks fix its bits


@body
def softmax_rows(z: Any, out: Any, start: int, stop: int) -> None:
    for r in range(start, stop):
        largest = z[r, 0]
        for j in range(1, z.shape[1]):
            largest = max(largest, z[r, j])
        total = z.dtype.type(0)
        for j in range(z.shape[1]):
            out[r, j] = np.exp(z[r, j] - largest)
            total += out[r, j]
        for j in range(z.shape[1]):
            out[r, j] /= total


@body
def cross_entropy_rows(z: Any, y: Any, proba: Any, dz: Any, start: int, stop: int) -> float:
    """Fill rows of `proba` and `dz`; return the rows' summed cost, ``log Σ exp(z - max) - (z_y - max)``."""
    softmax_rows(z, proba, start, stop)
    share = z.dtype.type(1) / z.dtype.type(z.shape[0])
    cost = 0.0
    for r in range(start, stop):
        largest = z[r, 0]
        for j in range(1, z.shape[1]):
            largest = max(largest, z[r, j])
        total = 0.0
        for j in range(z.shape[1]):
            total += np.exp(np.float64(z[r, j] - largest))
            dz[r, j] = proba[r, j] * share
        dz[r, y[r]] -= share
        cost += np.log(total) - np.float64(z[r, y[r]] - largest)
    return cost


@driver
def softmax(z: Any, out: Any) -> None:
    """``out = exp(z - max) / Σ exp(z - max)`` for every row."""
    n = z.shape[0]
    for block in prange((n + ROWS - 1) // ROWS):
        start = np.int64(block) * ROWS
        softmax_rows(z, out, start, min(n, start + ROWS))


@driver
def softmax_cross_entropy(z: Any, y: Any, proba: Any, dz: Any) -> float:
    """``dz = (softmax(z) - onehot(y)) / batch``; return the mean cross-entropy of the batch."""
    n = z.shape[0]
    blocks = (n + ROWS - 1) // ROWS
    costs = np.empty(blocks, np.float64)
    for block in prange(blocks):
        start = np.int64(block) * ROWS
        costs[block] = cross_entropy_rows(z, y, proba, dz, start, min(n, start + ROWS))
    total = 0.0
    for block in range(blocks):
        total += costs[block]
    return total / n
