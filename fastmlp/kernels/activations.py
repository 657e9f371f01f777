"""Activations of hidden layers besides the ReLU, and functions of the output layer.

``values (rows, n)`` becomes ``f(values)`` in place, and ``slope``, laid out alike, ``f'(values)``: backward multiplies
by it, so no function is evaluated twice. The bodies take panels; lanes beyond the last column become 0 in both.

GELU is ``x · Φ(x)``, Φ the normal distribution function (Hendrycks and Gimpel, 2016); SiLU ``x · logistic(x)``; Mish
``x · tanh(log(1 + exp(x)))`` (Misra, 2019); SELU ``λ x`` above 0, ``λ α (exp(x) - 1)`` below (Klambauer et al., 2017).
"""

import functools
from typing import Any

import numpy as np
from numba import prange, types

from fastmlp.compilation.jit import body, driver, inlined
from fastmlp.kernels.checks import expect_matrix, overlapping, refuse
from fastmlp.kernels.panels import Panels, pack_rows, panels_in, panels_type, scratch, unpack_rows
from fastmlp.kernels.softmax import softmax_rows
from fastmlp.simd import elementary
from fastmlp.simd import vector as v
from fastmlp.simd.elementary import constant
from fastmlp.simd.interface import Interface
from fastmlp.simd.kinds import Array, Pointer, Vector
from fastmlp.simd.pointer import keep_alive, number, offset
from fastmlp.simd.sizes import ceil_divide

LEAK = 0.01  # slope of the leaky ReLU below 0
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # λ and α of the paper's fixed point
ROWS = 96  # of a driver's block


@body
def _logistic(x: Vector) -> tuple[Vector, Vector]:
    value = elementary.logistic(x)
    return value, v.multiply(value, v.subtract(constant(x, 1.0), value))


@body
def _tanh(x: Vector) -> tuple[Vector, Vector]:
    value = elementary.tanh(x)
    return value, v.subtract(constant(x, 1.0), v.multiply(value, value))


@body
def _leaky_relu(x: Vector) -> tuple[Vector, Vector]:
    slope = v.where(x, constant(x, 1.0), constant(x, LEAK))
    return v.multiply(x, slope), slope


@body
def _gelu(x: Vector) -> tuple[Vector, Vector]:
    decayed = elementary.exp(v.multiply(v.multiply(x, x), constant(x, -0.5)))
    below = elementary.normal_cdf(x, decayed)
    density = v.multiply(decayed, constant(x, 1.0 / np.sqrt(2.0 * np.pi)))
    return v.multiply(x, below), v.fma(x, density, below)


@body
def _silu(x: Vector) -> tuple[Vector, Vector]:
    share = elementary.logistic(x)
    value = v.multiply(x, share)
    return value, v.fma(value, v.subtract(constant(x, 1.0), share), share)


@body
def _selu(x: Vector) -> tuple[Vector, Vector]:
    half = elementary.tanh(v.multiply(x, constant(x, 0.5)))
    # exp(x) - 1, which would cancel near 0, is 2 tanh(x/2) / (1 - tanh(x/2))
    grown = v.divide(v.add(half, half), v.subtract(constant(x, 1.0), half))
    below = v.multiply(grown, constant(x, SELU_SCALE * SELU_ALPHA))
    steep = v.add(below, constant(x, SELU_SCALE * SELU_ALPHA))
    scale = constant(x, SELU_SCALE)
    return v.where(x, v.multiply(x, scale), below), v.where(x, scale, steep)


@body
def _mish(x: Vector) -> tuple[Vector, Vector]:
    # with d = exp(-|x|), tanh(log(1 + exp(x))) is (1 + 2d) / (1 + 2d + 2d²) above 0, d (d + 2) / (d (d + 2) + 2) below
    one, two = constant(x, 1.0), constant(x, 2.0)
    d = elementary.exp(v.subtract(constant(x, 0.0), elementary.absolute(x)))
    square = v.multiply(d, d)
    top = v.where(x, v.fma(two, d, one), v.fma(two, d, square))
    bottom = v.add(top, v.where(x, v.add(square, square), two))
    share = v.divide(top, bottom)
    falling = v.multiply(v.multiply(x, constant(x, 4.0)), v.multiply(v.where(x, square, d), v.add(one, d)))
    return v.multiply(x, share), v.add(share, v.divide(falling, v.multiply(bottom, bottom)))


@body
def _exp(x: Vector) -> tuple[Vector, Vector]:
    value = elementary.exp_any(x)
    return value, value


@inlined
def _each(function: Any, values: Panels, slope: Pointer) -> None:
    lanes = v.lanes(slope)
    nothing = number(slope, 0.0)
    for j in range(0, values.columns, lanes):
        used = values.columns - j
        for r in range(values.rows):
            at = j // lanes * values.stride + r * lanes
            value, derivative = function(v.load(offset(values.start, at)))
            if used < lanes:
                value, derivative = v.first_lanes(value, used, nothing), v.first_lanes(derivative, used, nothing)
            v.store(value, offset(values.start, at))
            v.store(derivative, offset(slope, at))


# one C function each, and not one with a switch: a network compiles what it uses


def _logistic_rows(values: Panels, slope: Pointer) -> None:
    _each(_logistic, values, slope)


def _tanh_rows(values: Panels, slope: Pointer) -> None:
    _each(_tanh, values, slope)


def _leaky_relu_rows(values: Panels, slope: Pointer) -> None:
    _each(_leaky_relu, values, slope)


def _gelu_rows(values: Panels, slope: Pointer) -> None:
    _each(_gelu, values, slope)


def _silu_rows(values: Panels, slope: Pointer) -> None:
    _each(_silu, values, slope)


def _selu_rows(values: Panels, slope: Pointer) -> None:
    _each(_selu, values, slope)


def _mish_rows(values: Panels, slope: Pointer) -> None:
    _each(_mish, values, slope)


def _exp_rows(values: Panels, slope: Pointer) -> None:
    _each(_exp, values, slope)


def _softmax_rows(values: Panels, slope: Pointer) -> None:
    softmax_rows(values)  # its gradient is the loss's own: no slope


# (values, slope): slope is laid out as values
ACTIVATE = Interface(lambda real: (panels_type(real), types.CPointer(real)))
_call = ACTIVATE.call

_FUNCTIONS = {
    "logistic": _logistic_rows,
    "tanh": _tanh_rows,
    "leaky_relu": _leaky_relu_rows,
    "gelu": _gelu_rows,
    "silu": _silu_rows,
    "selu": _selu_rows,
    "mish": _mish_rows,
    "exp": _exp_rows,
    "softmax": _softmax_rows,
}


@functools.cache
def activation(name: str, dtype: np.dtype) -> int:
    """Return the address of a compiled function, for `activate`.

    Parameters
    ----------
    name : {"logistic", "tanh", "leaky_relu", "gelu", "silu", "selu", "mish", "exp", "softmax"}
        The last is a function of a row.
    dtype : numpy.dtype
        float32 or float64, that of the arrays.

    Returns
    -------
    int
        An address, valid in this process.
    """
    return ACTIVATE.address(_FUNCTIONS[name], dtype)


@body
def activate_rows(function: int, values: Panels, slope: Pointer) -> None:
    """Apply the function at an address to some rows."""
    _call(function, (values, slope))


@body
def multiply_rows(values: Panels, factor: Pointer) -> None:
    """``values = values · factor``, laid out alike."""
    lanes = v.lanes(factor)
    for j in range(0, values.columns, lanes):
        for r in range(values.rows):
            at = j // lanes * values.stride + r * lanes
            here = offset(values.start, at)
            v.store(v.multiply(v.load(here), v.load(offset(factor, at))), here)


@body
def _activate_block(function: int, z: Array, out: Array, slope: Array, first: int, count: int) -> None:
    values, slopes = scratch(z, count, z.shape[1]), scratch(z, count, z.shape[1])
    rows, slope_rows = panels_in(values, count, z.shape[1]), panels_in(slopes, count, z.shape[1])
    pack_rows(z, first, rows)
    activate_rows(function, rows, slope_rows.start)
    unpack_rows(rows, out, first)
    unpack_rows(slope_rows, slope, first)
    keep_alive((values, slopes))


@driver
def activate(function: int, z: Array, out: Array, slope: Array) -> None:
    """``out = f(z)``, ``slope = f'(z)``, f the `activation` at an address.

    Parameters
    ----------
    function : int
        From `activation`, for the dtype of ``z``.
    z : numpy.ndarray (rows, n)
    out, slope : numpy.ndarray (rows, n)
        Overwritten; the softmax has no slope and leaves it undefined.
    """
    refuse(overlapping("z/2 -> out/2 slope/2 in place", (z, out, slope)))
    expect_matrix("out", out, z.shape[0], z.shape[1])
    expect_matrix("slope", slope, z.shape[0], z.shape[1])
    n = z.shape[0]
    for block in prange(ceil_divide(n, ROWS)):
        first = np.int64(block) * ROWS
        _activate_block(function, z, out, slope, first, min(n - first, ROWS))
