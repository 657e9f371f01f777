"""The losses: of rows of the last layer's linear output z against targets, cost and gradient in one pass.

``z (rows, n)`` becomes the gradient of ``share · Σ weight · loss`` in place. Row r is number ``index[r]`` of the data:
its target is that row of ``targets (n_rows, n)`` (class indices ``(n_rows,)`` for the cross-entropy), its weight
``weights`` at `stride` times that number; a stride of 0 is one weight for all. A loss is a sum over the n outputs:

- squared error ``½ (z - t)²``, absolute error ``|z - t|``
- Huber's: ``½ (z - t)²`` up to a distance δ, ``δ (|z - t| - δ/2)`` beyond (Huber, 1964)
- Poisson, of ``p = exp(z)``: half the deviance, ``t log(t/p) - t + p``
- binary cross-entropy, of ``p = logistic(z)``: ``-t log p - (1 - t) log(1 - p)``, with smoothing ε of
  ``(1 - ε) t + ε/2`` in place of t
"""

import functools
from typing import Any

import numpy as np
from numba import from_dtype, prange, types

from fastmlp.compilation.jit import address, body, driver, inlined
from fastmlp.kernels._panels import pack_rows, scratch, unpack_rows
from fastmlp.kernels.softmax import cross_entropy_rows
from fastmlp.simd import elementary
from fastmlp.simd import vector as v
from fastmlp.simd.elementary import constant
from fastmlp.simd.pointer import call, cast_address, keep_alive, number, offset, pointer

ROWS = 64  # of a driver's block; the cost is summed block by block, so the blocks fix its bits
LEAST_COUNT = np.finfo(np.float64).smallest_normal  # of which there is a logarithm; t log t - t of less is 0


@body
def _squared(z: Any, target: Any, parameter: Any) -> Any:
    distance = v.subtract(z, target)
    return distance, v.multiply(v.multiply(distance, distance), constant(z, 0.5))


@body
def _absolute(z: Any, target: Any, parameter: Any) -> Any:
    distance = v.subtract(z, target)
    opposite = v.subtract(target, z)
    one = constant(z, 1.0)
    return v.subtract(v.where_positive(distance, one), v.where_positive(opposite, one)), v.maximum(distance, opposite)


@body
def _huber(z: Any, target: Any, parameter: Any) -> Any:
    distance = v.subtract(z, target)
    size = elementary.absolute(distance)
    inside = v.minimum(parameter, size)
    gradient = v.where(distance, inside, v.subtract(constant(z, 0.0), inside))
    return gradient, v.multiply(inside, v.fma(constant(z, -0.5), inside, size))


@body
def _poisson(z: Any, target: Any, parameter: Any) -> Any:
    predicted = elementary.exp_any(z)
    # without t log t - t, which is added in `_poisson_rows`; the gradient needs no more
    return v.subtract(predicted, target), v.subtract(predicted, v.multiply(target, z))


@body
def _binary(z: Any, target: Any, parameter: Any) -> Any:
    half = constant(z, 0.5)
    smoothed = v.fma(parameter, v.subtract(half, target), target)
    decayed = elementary.exp(v.subtract(constant(z, 0.0), elementary.absolute(z)))
    linear = v.subtract(v.relu(z), v.multiply(z, smoothed))
    return v.subtract(elementary.logistic(z), smoothed), v.add(linear, elementary.log1p(decayed))


@inlined
def _each(function: Any, z: Any, data: int, weights: Any, stride: int, index: Any, rows: int, n: int, panel: int,
          share: float, parameter: float) -> float:  # fmt: skip
    lanes = v.lanes(z)
    targets = cast_address(data, number(z, 0.0))
    nothing, given = number(z, 0.0), v.splat(number(z, parameter))
    cost = 0.0
    for r in range(rows):
        weight = weights[index[r] * stride]
        if weight == 0:  # 0 times a loss that overflows would be NaN
            for j in range(0, n, lanes):
                v.store(v.splat(nothing), offset(z, j // lanes * panel + r * lanes))
            continue
        factor = v.splat(number(z, share * weight))
        total = v.splat(nothing)
        for j in range(0, n, lanes):
            here, used = offset(z, j // lanes * panel + r * lanes), n - j
            target = v.load_first(offset(targets, index[r] * n + j), used)
            gradient, loss = function(v.load(here), target, given)
            if used < lanes:
                gradient, loss = v.first_lanes(gradient, used, nothing), v.first_lanes(loss, used, nothing)
            v.store(v.multiply(gradient, factor), here)
            total = v.add(total, loss)
        cost += weight * np.float64(v.sum_lanes(total))
    return cost


# one C function each, and not one with a switch: a training compiles what it uses


def _squared_rows(z: Any, targets: int, weights: Any, stride: int, index: Any, rows: int, n: int, panel: int,
                  share: float, parameter: float, cost: Any) -> int:  # fmt: skip
    cost[0] = _each(_squared, z, targets, weights, stride, index, rows, n, panel, share, parameter)
    return rows


def _absolute_rows(z: Any, targets: int, weights: Any, stride: int, index: Any, rows: int, n: int, panel: int,
                   share: float, parameter: float, cost: Any) -> int:  # fmt: skip
    cost[0] = _each(_absolute, z, targets, weights, stride, index, rows, n, panel, share, parameter)
    return rows


def _huber_rows(z: Any, targets: int, weights: Any, stride: int, index: Any, rows: int, n: int, panel: int,
                share: float, parameter: float, cost: Any) -> int:  # fmt: skip
    cost[0] = _each(_huber, z, targets, weights, stride, index, rows, n, panel, share, parameter)
    return rows


def _binary_rows(z: Any, targets: int, weights: Any, stride: int, index: Any, rows: int, n: int, panel: int,
                 share: float, parameter: float, cost: Any) -> int:  # fmt: skip
    cost[0] = _each(_binary, z, targets, weights, stride, index, rows, n, panel, share, parameter)
    return rows


def _poisson_rows(z: Any, targets: int, weights: Any, stride: int, index: Any, rows: int, n: int, panel: int,
                  share: float, parameter: float, cost: Any) -> int:  # fmt: skip
    total = _each(_poisson, z, targets, weights, stride, index, rows, n, panel, share, parameter)
    values = cast_address(targets, number(z, 0.0))
    for r in range(rows):
        for j in range(n):
            target = np.float64(values[index[r] * n + j])
            if target >= LEAST_COUNT:
                total += weights[index[r] * stride] * (target * elementary.log(target) - target)
    cost[0] = total
    return rows


def _cross_entropy_rows(z: Any, targets: int, weights: Any, stride: int, index: Any, rows: int, n: int, panel: int,
                        share: float, parameter: float, cost: Any) -> int:  # fmt: skip
    labels = cast_address(targets, np.int64(0))
    cost[0] = cross_entropy_rows(z, labels, weights, stride, index, rows, n, panel, share, parameter)
    return rows


_FUNCTIONS = {
    "cross_entropy": _cross_entropy_rows,
    "binary_cross_entropy": _binary_rows,
    "squared_error": _squared_rows,
    "absolute_error": _absolute_rows,
    "huber": _huber_rows,
    "poisson": _poisson_rows,
}


@functools.cache
def loss(name: str, dtype: np.dtype) -> int:
    """Return the address of a compiled loss, for `loss_gradient`.

    Parameters
    ----------
    name : {"cross_entropy", "binary_cross_entropy", "squared_error", "absolute_error", "huber", "poisson"}
        The formulas are those of the classes in `fastmlp.losses`.
    dtype : numpy.dtype
        float32 or float64, that of the arrays.

    Returns
    -------
    int
        An address, valid in this process.
    """
    real, float64, integers = types.CPointer(from_dtype(dtype)), types.float64, types.CPointer(types.int64)
    numbers = types.CPointer(float64)
    return address(
        _FUNCTIONS[name],
        types.intp(
            real, types.intp, numbers, types.intp, integers, types.intp, types.intp, types.intp, float64, float64,
            numbers,
        ),
    )  # fmt: skip


@inlined
def loss_rows(function: int, z: Any, targets: int, weights: Any, stride: int, index: Any, rows: int, n: int,
              panel: int, share: float, parameter: float, cost: Any) -> None:  # fmt: skip
    """Apply the loss at an address to some rows; their weighted cost goes to the pointer `cost`."""
    call(function, (z, targets, weights, stride, index, rows, n, panel, share, parameter, cost))


@body
def right_flags_rows(z: Any, targets: Any, weights: Any, stride: int, index: Any, rows: int, n: int, panel: int,
                     ) -> float:  # fmt: skip
    """The weight of the rows of which every ``z > 0`` exactly where the target is above ½."""
    lanes = v.lanes(z)
    right = 0.0
    for r in range(rows):
        wrong = 0
        for j in range(n):
            wrong += (z[j // lanes * panel + r * lanes + j % lanes] > 0) != (targets[index[r] * n + j] > 0.5)
        if wrong == 0:
            right += weights[index[r] * stride]
    return right


@body
def _loss_block(function: int, z: Any, targets: Any, weights: Any, share: float, parameter: float, dz: Any, costs: Any,
                block: int, count: int) -> None:  # fmt: skip
    panels = scratch(z, count, z.shape[1])
    first = block * ROWS
    pack_rows(z, first, count, panels)
    rows = np.arange(first, first + count)
    loss_rows(
        function, pointer(panels, 0), targets.ctypes.data, pointer(weights, 0), np.int64(len(weights) > 1),
        pointer(rows, 0), count, z.shape[1], panels.shape[1] * panels.shape[2], share, parameter, pointer(costs, block),
    )  # fmt: skip
    unpack_rows(panels, dz, first, count)
    keep_alive((panels, rows))


@driver
def loss_gradient(function: int, z: Any, targets: Any, weights: Any, parameter: float, dz: Any) -> float:
    """Weighted mean of the `loss` at an address over the rows, and its gradient.

    Parameters
    ----------
    function : int
        From `loss`, for the dtype of ``z``.
    z : numpy.ndarray (batch, n)
        Linear outputs of the last layer: the output function is part of the loss.
    targets : numpy.ndarray (batch, n)
        In the dtype of ``z``; for the cross-entropy int64 class indices ``(batch,)``.
    weights : numpy.ndarray of float64 (batch,) or (1,)
        Of the rows, or one number for all.
    parameter : float
        Huber's δ or the smoothing ε; without meaning for the others.
    dz : numpy.ndarray (batch, n)
        Gradient of the mean; overwritten.

    Returns
    -------
    float
        The mean of the rows' losses, each a sum over the n outputs.
    """
    n = z.shape[0]
    if len(weights) == 1:  # a mean does not depend on it
        weights = np.ones(1)
    total = weights.sum() if len(weights) > 1 else np.float64(n)
    blocks = (n + ROWS - 1) // ROWS
    costs = np.empty(blocks, np.float64)
    for block in prange(blocks):
        count = min(n - np.int64(block) * ROWS, ROWS)
        _loss_block(function, z, targets, weights, 1.0 / total, parameter, dz, costs, np.int64(block), count)
    cost = 0.0
    for block in range(blocks):
        cost += costs[block]
    return cost / total
