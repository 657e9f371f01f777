"""The parameter update: one step of stochastic gradient descent with L2 decay (applied once).

``weight`` and ``dweight`` of one shape, C-ordered.
"""

from typing import Any

import numpy as np
from numba import prange

from fastmlp.jit import body, driver

ELEMENTS = 4096  # per block


@body
def sgd_elements(weight: Any, dweight: Any, keep: Any, rate: Any, start: int, stop: int) -> None:
    for i in range(start, stop):
        weight[i] = keep * weight[i] - rate * dweight[i]


@driver
def sgd_update(weight: Any, dweight: Any, learning_rate: float, weight_decay: float) -> None:
    """``weight ← (1 - learning_rate · weight_decay) · weight - learning_rate · dweight``, in place."""
    flat, dflat = weight.reshape(-1), dweight.reshape(-1)
    n = flat.shape[0]
    keep = weight.dtype.type(1 - learning_rate * weight_decay)
    rate = weight.dtype.type(learning_rate)
    for block in prange((n + ELEMENTS - 1) // ELEMENTS):
        start = np.int64(block) * ELEMENTS
        sgd_elements(flat, dflat, keep, rate, start, min(n, start + ELEMENTS))
