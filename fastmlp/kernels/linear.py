"""The linear layer and its three gradients.

``x (batch, n_in)``, ``weight (n_in, n_out)``, ``bias (n_out,)``, ``dout (batch, n_out)``.
"""

from typing import Any

import numpy as np
from numba import prange

from fastmlp.jit import body, driver

ROWS = 16  # rows of the mini-batch per block
FAN_IN = 16  # rows of the weight matrix per block


@body
def linear_rows(x: Any, weight: Any, bias: Any, out: Any, start: int, stop: int) -> None:
    for r in range(start, stop):
        for j in range(out.shape[1]):
            out[r, j] = bias[j]
        for k in range(x.shape[1]):
            factor = x[r, k]
            for j in range(out.shape[1]):
                out[r, j] += factor * weight[k, j]


@body
def linear_dx_rows(weight: Any, dout: Any, dx: Any, start: int, stop: int) -> None:
    for r in range(start, stop):
        for k in range(dx.shape[1]):
            total = dx.dtype.type(0)
            for j in range(dout.shape[1]):
                total += dout[r, j] * weight[k, j]
            dx[r, k] = total


@body
def linear_dweight_rows(x: Any, dout: Any, dweight: Any, start: int, stop: int) -> None:
    for k in range(start, stop):
        for j in range(dout.shape[1]):
            dweight[k, j] = 0
    for r in range(dout.shape[0]):
        for k in range(start, stop):
            factor = x[r, k]
            for j in range(dout.shape[1]):
                dweight[k, j] += factor * dout[r, j]


@body
def sum_rows(dout: Any, dbias: Any) -> None:
    for j in range(dout.shape[1]):
        dbias[j] = 0
    for r in range(dout.shape[0]):
        for j in range(dout.shape[1]):
            dbias[j] += dout[r, j]


@driver
def linear_forward(x: Any, weight: Any, bias: Any, out: Any) -> None:
    """``out = x @ weight + bias``."""
    n = x.shape[0]
    for block in prange((n + ROWS - 1) // ROWS):
        start = np.int64(block) * ROWS
        linear_rows(x, weight, bias, out, start, min(n, start + ROWS))


@driver
def linear_backward_parameters(x: Any, dout: Any, dweight: Any, dbias: Any) -> None:
    """``dweight = x.T @ dout``, ``dbias = dout.sum(0)``: all that the first layer needs."""
    n_in = x.shape[1]
    for block in prange((n_in + FAN_IN - 1) // FAN_IN):
        start = np.int64(block) * FAN_IN
        linear_dweight_rows(x, dout, dweight, start, min(n_in, start + FAN_IN))
    sum_rows(dout, dbias)


@driver
def linear_backward(x: Any, weight: Any, dout: Any, dx: Any, dweight: Any, dbias: Any) -> None:
    """``dx = dout @ weight.T``, ``dweight = x.T @ dout``, ``dbias = dout.sum(0)``; summed over the batch."""
    n = x.shape[0]
    for block in prange((n + ROWS - 1) // ROWS):
        start = np.int64(block) * ROWS
        linear_dx_rows(weight, dout, dx, start, min(n, start + ROWS))
    linear_backward_parameters(x, dout, dweight, dbias)
