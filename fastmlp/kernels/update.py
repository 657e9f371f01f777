"""The parameter update: stochastic gradient descent, plain and with momentum, Adam, and running averages.

Plain SGD updates weights where their gradient is summed (`fastmlp.kernels.linear.update_tiles`). The bodies here need
the gradient in memory. They are elementwise, over whole vectors.

Plain: ``parameter ← keep · parameter - rate · factor · gradient``.

Momentum μ (Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013):
``velocity ← μ · velocity - rate · (gradient + l2 · parameter)``, then ``parameter += velocity``, and with Nesterov's
correction ``parameter += μ · velocity - rate · (gradient + l2 · parameter)``.

Adam (Kingma and Ba, 2015, in the form at the end of their section 2): ``first ← β₁ · first + (1 - β₁) · gradient``,
``second ← β₂ · second + (1 - β₂) · gradient²``, ``parameter -= size · first / (√second + ε)``, where `size` is the rate
times ``√(1 - β₂ᵗ) / (1 - β₁ᵗ)`` in step t.

Clipping multiplies the gradient by a `factor` (Pascanu, Mikolov and Bengio, 2013), 1 where there is none.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from fastmlp.compilation.jit import body, driver
from fastmlp.kernels.checks import expect_same, overlapping, refuse
from fastmlp.kernels.elements import ELEMENTS, padded_piece
from fastmlp.simd import vector as v
from fastmlp.simd.kinds import Array, Pointer
from fastmlp.simd.pointer import keep_alive, number, offset, pointer
from fastmlp.simd.sizes import ceil_divide

RULES = ("plain", "momentum", "adam", "gradient")  # the last one only sums gradients
PLAIN, MOMENTUM, ADAM, GRADIENT = range(len(RULES))


class MomentumStep(NamedTuple):
    """The numbers of a step with momentum; `nesterov` is 0 or 1."""

    rate: float
    l2: float
    momentum: float
    nesterov: int


class AdamStep(NamedTuple):
    """The numbers of a step of Adam, which starts from ``keep · parameter`` (decay beside the cost)."""

    size: float
    beta_1: float
    beta_2: float
    epsilon: float
    l2: float
    keep: float


@body
def descend(parameter: Pointer, gradient: Pointer, n: int, rate: float) -> None:
    """``parameter -= rate · gradient``."""
    down = v.splat(number(parameter, -rate))
    for i in range(0, n, v.lanes(parameter)):
        here = offset(parameter, i)
        v.store(v.fma(down, v.load(offset(gradient, i)), v.load(here)), here)


@body
def plain(parameter: Pointer, gradient: Pointer, n: int, rate: float, keep: float, factor: float) -> None:
    down, kept = v.splat(number(parameter, -rate * factor)), v.splat(number(parameter, keep))
    for i in range(0, n, v.lanes(parameter)):
        here = offset(parameter, i)
        v.store(v.fma(down, v.load(offset(gradient, i)), v.multiply(kept, v.load(here))), here)


@body
def momentum(
    parameter: Pointer, gradient: Pointer, velocity: Pointer, n: int, step: MomentumStep, factor: float
) -> None:
    down, shrunk = v.splat(number(parameter, -step.rate * factor)), v.splat(number(parameter, -step.rate * step.l2))
    kept = v.splat(number(parameter, step.momentum))
    nesterov = step.nesterov != 0
    for i in range(0, n, v.lanes(parameter)):
        here, there = offset(parameter, i), offset(velocity, i)
        before = v.load(here)
        change = v.fma(shrunk, before, v.multiply(down, v.load(offset(gradient, i))))
        speed = v.fma(kept, v.load(there), change)
        v.store(speed, there)
        v.store(v.add(before, v.fma(kept, speed, change) if nesterov else speed), here)


@body
def adam(
    parameter: Pointer, gradient: Pointer, first: Pointer, second: Pointer, n: int, step: AdamStep, factor: float
) -> None:
    """A step for the gradient ``factor · gradient + l2 · parameter``."""
    down, least = v.splat(number(parameter, -step.size)), v.splat(number(parameter, step.epsilon))
    shrunk, kept = v.splat(number(parameter, step.l2)), v.splat(number(parameter, step.keep))
    clipped = v.splat(number(parameter, factor))
    old_1, new_1 = v.splat(number(parameter, step.beta_1)), v.splat(number(parameter, 1.0 - step.beta_1))
    old_2, new_2 = v.splat(number(parameter, step.beta_2)), v.splat(number(parameter, 1.0 - step.beta_2))
    for i in range(0, n, v.lanes(parameter)):
        here, there, behind = offset(parameter, i), offset(first, i), offset(second, i)
        before = v.load(here)
        slope = v.fma(shrunk, before, v.multiply(clipped, v.load(offset(gradient, i))))
        mean = v.fma(new_1, slope, v.multiply(old_1, v.load(there)))
        square = v.fma(new_2, v.multiply(slope, slope), v.multiply(old_2, v.load(behind)))
        v.store(mean, there)
        v.store(square, behind)
        move = v.divide(mean, v.add(v.square_root(square), least))
        v.store(v.fma(down, move, v.multiply(kept, before)), here)


@body
def average(running: Pointer, newest: Pointer, n: int, weight: float) -> None:
    """``running += weight · (newest - running)``."""
    share = v.splat(number(running, weight))
    for i in range(0, n, v.lanes(running)):
        here = offset(running, i)
        before = v.load(here)
        v.store(v.fma(share, v.subtract(v.load(offset(newest, i)), before), before), here)


@body
def clear(values: Pointer, n: int) -> None:
    """``values = 0``."""
    nothing = v.splat(number(values, 0.0))
    for i in range(0, n, v.lanes(values)):
        v.store(nothing, offset(values, i))


@body
def add(out: Pointer, left: Pointer, right: Pointer, n: int) -> None:
    """``out = left + right``."""
    for i in range(0, n, v.lanes(out)):
        v.store(v.add(v.load(offset(left, i)), v.load(offset(right, i))), offset(out, i))


@body
def scale(values: Pointer, out: Pointer, n: int, factor: float) -> None:
    """``out = factor · values``."""
    by = v.splat(number(out, factor))
    for i in range(0, n, v.lanes(out)):
        v.store(v.multiply(by, v.load(offset(values, i))), offset(out, i))


@body
def square_sum(values: Pointer, n: int) -> float:
    """Σ values²: lanes of every 16 vectors in their own dtype, then in float64."""
    lanes, total = v.lanes(values), 0.0
    for first in range(0, n, 16 * lanes):
        squares = v.splat(number(values, 0.0))
        for i in range(first, min(first + 16 * lanes, n), lanes):
            vector = v.load(offset(values, i))
            squares = v.fma(vector, vector, squares)
        total += v.sum_lanes(squares)
    return total


@body
def _sgd_block(weight: Array, dweight: Array, rate: float, keep: float, first: int) -> None:
    start, below, n = pointer(weight, first), pointer(dweight, first), min(ELEMENTS, len(weight) - first)
    whole = n // v.lanes(start) * v.lanes(start)
    plain(start, below, whole, rate, keep, 1.0)
    if whole < n:
        last, gradient = padded_piece(weight, first + whole), padded_piece(dweight, first + whole)
        plain(pointer(last, 0), pointer(gradient, 0), len(last), rate, keep, 1.0)
        weight[first + whole :] = last[: n - whole]
        keep_alive((last, gradient))


@driver
def sgd_update(weight: Array, dweight: Array, learning_rate: float, weight_decay: float) -> None:
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
    refuse(overlapping("dweight/0 -> weight/0", (dweight, weight)))
    expect_same("dweight", dweight, "weight", weight)
    flat, dflat = weight.reshape(-1), dweight.reshape(-1)
    keep = 1.0 - learning_rate * weight_decay
    for block in prange(ceil_divide(flat.shape[0], ELEMENTS)):
        _sgd_block(flat, dflat, np.float64(learning_rate), keep, np.int64(block) * ELEMENTS)
