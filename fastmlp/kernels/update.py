"""The parameter update: one step of stochastic gradient descent with L2 decay (applied once), and running averages.

In training, weights are updated where their gradient is summed (`fastmlp.kernels.linear.update_tiles`).
"""

from typing import Any

import numpy as np
from numba import prange

from fastmlp.compilation.jit import body, driver
from fastmlp.simd import vector as v
from fastmlp.simd.pointer import number, offset, pointer

ELEMENTS = 4096  # of a driver's block


@body
def descend(parameter: Any, gradient: Any, n: int, rate: float) -> None:
    """``parameter -= rate · gradient``."""
    down = v.splat(number(parameter, -rate))
    for i in range(0, n, v.lanes(parameter)):
        here = offset(parameter, i)
        v.store(v.fma(down, v.load(offset(gradient, i)), v.load(here)), here)


@body
def average(running: Any, newest: Any, n: int, momentum: float) -> None:
    """``running += momentum · (newest - running)``."""
    weight = v.splat(number(running, momentum))
    for i in range(0, n, v.lanes(running)):
        here = offset(running, i)
        before = v.load(here)
        v.store(v.fma(weight, v.subtract(v.load(offset(newest, i)), before), before), here)


@body
def _sgd_elements(weight: Any, dweight: Any, keep: Any, down: Any, first: int, last: int) -> None:
    lanes = v.lanes(pointer(weight, 0))
    whole = first + (last - first) // lanes * lanes
    kept, step = v.splat(keep), v.splat(down)
    for i in range(first, whole, lanes):
        here = pointer(weight, i)
        v.store(v.fma(step, v.load(pointer(dweight, i)), v.multiply(kept, v.load(here))), here)
    for i in range(whole, last):
        weight[i] = v.scalar_fma(down, dweight[i], keep * weight[i])


@driver
def sgd_update(weight: Any, dweight: Any, learning_rate: float, weight_decay: float) -> None:
    """``weight ← (1 - learning_rate · weight_decay) · weight - learning_rate · dweight``, in place.

    Parameters
    ----------
    weight : numpy.ndarray
        Of any shape; changed in place.
    dweight : numpy.ndarray
        Its gradient, of the same shape.
    learning_rate, weight_decay : float
        At least 0.
    """
    flat, dflat = weight.reshape(-1), dweight.reshape(-1)
    n = flat.shape[0]
    keep = weight.dtype.type(1 - learning_rate * weight_decay)
    down = weight.dtype.type(-learning_rate)
    for block in prange((n + ELEMENTS - 1) // ELEMENTS):
        first = np.int64(block) * ELEMENTS
        _sgd_elements(flat, dflat, keep, down, first, min(n, first + ELEMENTS))
