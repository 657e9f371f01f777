"""The losses: of rows of the last layer's linear output z against targets, cost and gradient in one pass.

``z (rows, n)`` becomes the gradient of ``share · Σ weight · loss`` in place. `fastmlp.kernels.targets` says how the
targets and the weights of the rows are found. A loss is a sum over the n outputs:

- squared error ``½ (z - t)²``, absolute error ``|z - t|``
- Huber's: ``½ (z - t)²`` up to a distance δ, ``δ (|z - t| - δ/2)`` beyond (Huber, 1964)
- Poisson, of ``p = exp(z)``: half the deviance, ``t log(t/p) - t + p``
- binary cross-entropy, of ``p = logistic(z)``: ``-t log p - (1 - t) log(1 - p)``, with smoothing ε of
  ``(1 - ε) t + ε/2`` in place of t
"""

import functools
from typing import Any

import numpy as np
from numba import prange, types

from fastmlp.compilation.jit import body, driver, inlined
from fastmlp.kernels.checks import expect_indices, expect_matrix, expect_vector, overlapping, refuse
from fastmlp.kernels.panels import Panels, pack_rows, panels_in, panels_type, scratch, strip_of, unpack_rows
from fastmlp.kernels.softmax import cross_entropy_rows
from fastmlp.kernels.targets import TARGETS, Targets, typed, weight_of
from fastmlp.simd import elementary
from fastmlp.simd import vector as v
from fastmlp.simd.elementary import constant
from fastmlp.simd.interface import Interface
from fastmlp.simd.kinds import Array, Pointer, Vector
from fastmlp.simd.pointer import keep_alive, number, offset, pointer
from fastmlp.simd.sizes import ceil_divide

ROWS = 64  # of a driver's block; the cost is summed block by block, so the blocks fix its bits
LEAST_COUNT = np.finfo(np.float64).smallest_normal  # of smaller targets, t log t - t is 0


@body
def _squared(z: Vector, target: Vector, parameter: Vector) -> tuple[Vector, Vector]:
    distance = v.subtract(z, target)
    return distance, v.multiply(v.multiply(distance, distance), constant(z, 0.5))


@body
def _absolute(z: Vector, target: Vector, parameter: Vector) -> tuple[Vector, Vector]:
    distance = v.subtract(z, target)
    opposite = v.subtract(target, z)
    one = constant(z, 1.0)
    return v.subtract(v.where_positive(distance, one), v.where_positive(opposite, one)), v.maximum(distance, opposite)


@body
def _huber(z: Vector, target: Vector, parameter: Vector) -> tuple[Vector, Vector]:
    distance = v.subtract(z, target)
    size = elementary.absolute(distance)
    inside = v.minimum(parameter, size)
    gradient = v.where(distance, inside, v.subtract(constant(z, 0.0), inside))
    return gradient, v.multiply(inside, v.fma(constant(z, -0.5), inside, size))


@body
def _poisson(z: Vector, target: Vector, parameter: Vector) -> tuple[Vector, Vector]:
    predicted = elementary.exp_any(z)
    # `_poisson_rows` adds t log t - t, on which the gradient does not depend
    return v.subtract(predicted, target), v.subtract(predicted, v.multiply(target, z))


@body
def _binary(z: Vector, target: Vector, parameter: Vector) -> tuple[Vector, Vector]:
    half = constant(z, 0.5)
    smoothed = v.fma(parameter, v.subtract(half, target), target)
    decayed = elementary.exp(v.subtract(constant(z, 0.0), elementary.absolute(z)))
    linear = v.subtract(v.relu(z), v.multiply(z, smoothed))
    return v.subtract(elementary.logistic(z), smoothed), v.add(linear, elementary.log1p(decayed))


@inlined
def _each(function: Any, z: Panels, targets: Targets, share: float, parameter: float) -> float:
    lanes, n = v.lanes(z.start), z.columns
    nothing, given = number(z.start, 0.0), v.splat(number(z.start, parameter))
    cost = 0.0
    for r in range(z.rows):
        weight = weight_of(targets, r)
        if weight == 0:  # 0 times a loss that overflows would be NaN
            for j in range(0, n, lanes):
                v.store(v.splat(nothing), offset(strip_of(z, j), r * lanes))
            continue
        factor = v.splat(number(z.start, share * weight))
        total = v.splat(nothing)
        for j in range(0, n, lanes):
            here, used = offset(strip_of(z, j), r * lanes), n - j
            target = v.load_first(offset(targets.values, targets.index[r] * n + j), used)
            gradient, loss = function(v.load(here), target, given)
            if used < lanes:
                gradient, loss = v.first_lanes(gradient, used, nothing), v.first_lanes(loss, used, nothing)
            v.store(v.multiply(gradient, factor), here)
            total = v.add(total, loss)
        cost += weight * np.float64(v.sum_lanes(total))
    return cost


# one C function each, and not one with a switch: a training compiles what it uses


def _squared_rows(z: Panels, targets: Targets, share: float, parameter: float, cost: Pointer) -> None:
    cost[0] = _each(_squared, z, typed(targets, number(z.start, 0.0)), share, parameter)


def _absolute_rows(z: Panels, targets: Targets, share: float, parameter: float, cost: Pointer) -> None:
    cost[0] = _each(_absolute, z, typed(targets, number(z.start, 0.0)), share, parameter)


def _huber_rows(z: Panels, targets: Targets, share: float, parameter: float, cost: Pointer) -> None:
    cost[0] = _each(_huber, z, typed(targets, number(z.start, 0.0)), share, parameter)


def _binary_rows(z: Panels, targets: Targets, share: float, parameter: float, cost: Pointer) -> None:
    cost[0] = _each(_binary, z, typed(targets, number(z.start, 0.0)), share, parameter)


def _poisson_rows(z: Panels, targets: Targets, share: float, parameter: float, cost: Pointer) -> None:
    counts = typed(targets, number(z.start, 0.0))
    total = _each(_poisson, z, counts, share, parameter)
    for r in range(z.rows):
        for j in range(z.columns):
            target = np.float64(counts.values[counts.index[r] * z.columns + j])
            if target >= LEAST_COUNT:
                total += weight_of(counts, r) * (target * elementary.log(target) - target)
    cost[0] = total


def _cross_entropy_rows(z: Panels, targets: Targets, share: float, parameter: float, cost: Pointer) -> None:
    cost[0] = cross_entropy_rows(z, typed(targets, np.int64(0)), share, parameter)


# (z, targets, share, parameter, cost): the weighted cost of the rows of z goes to the pointer `cost`
LOSS = Interface(lambda real: (panels_type(real), TARGETS, types.float64, types.float64, types.CPointer(types.float64)))
_call = LOSS.call

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
    return LOSS.address(_FUNCTIONS[name], dtype)


@body
def loss_rows(function: int, z: Panels, targets: Targets, share: float, parameter: float, cost: Pointer) -> None:
    """Apply the loss at an address to some rows; their weighted cost goes to the pointer `cost`."""
    _call(function, (z, targets, share, parameter, cost))


@body
def right_flags_rows(z: Panels, targets: Targets) -> float:
    """Return the weight of the rows of which every ``z > 0`` exactly where the target is above ½."""
    lanes, n = v.lanes(z.start), z.columns
    right = 0.0
    for r in range(z.rows):
        wrong = 0
        for j in range(n):
            predicted = z.start[j // lanes * z.stride + r * lanes + j % lanes] > 0
            wrong += predicted != (targets.values[targets.index[r] * n + j] > 0.5)
        if wrong == 0:
            right += weight_of(targets, r)
    return right


@body
def _loss_block(
    function: int,
    z: Array,
    data: tuple[Array, Array],
    share: float,
    parameter: float,
    dz: Array,
    costs: Array,
    block: int,
) -> None:
    """One block of rows; `data` is the targets and the weights."""
    first = block * ROWS
    count = min(z.shape[0] - first, ROWS)
    panels, index = scratch(z, count, z.shape[1]), np.arange(first, first + count)
    rows = panels_in(panels, count, z.shape[1])
    pack_rows(z, first, rows)
    targets = Targets(
        values=np.int64(data[0].ctypes.data),
        weights=pointer(data[1], 0),
        stride=np.int64(len(data[1]) > 1),
        index=pointer(index, 0),
    )
    loss_rows(function, rows, targets, share, parameter, pointer(costs, block))
    unpack_rows(rows, dz, first)
    keep_alive((panels, index))


@driver
def loss_gradient(function: int, z: Array, targets: Array, weights: Array, parameter: float, dz: Array) -> float:
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
    refuse(overlapping("z/2 targets/0/real weights/1/float64 -> dz/2", (z, targets, weights, dz)))
    n = z.shape[0]
    if targets.ndim == 1:
        expect_vector("targets", targets, n)
        expect_indices("targets", targets, z.shape[1])
    else:
        expect_matrix("targets", targets, n, z.shape[1])
    if len(weights) != 1:
        expect_vector("weights", weights, n)
    expect_matrix("dz", dz, n, z.shape[1])
    if len(weights) == 1:  # a single weight for all rows: the mean does not depend on it
        weights = np.ones(1)
    total = weights.sum() if len(weights) > 1 else np.float64(n)
    blocks = ceil_divide(n, ROWS)
    costs = np.empty(blocks, np.float64)
    for block in prange(blocks):
        _loss_block(function, z, (targets, weights), 1.0 / total, np.float64(parameter), dz, costs, np.int64(block))
    cost = 0.0
    for block in range(blocks):
        cost += costs[block]
    return cost / total
