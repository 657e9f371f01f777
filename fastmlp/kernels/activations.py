"""Activations of hidden layers besides the ReLU, and functions of the output layer.

``values (rows, n)`` becomes ``f(values)`` in place, and ``slope``, laid out alike, ``f'(values)``: backward multiplies
by it, so no function is evaluated twice. The bodies take pointers to panels; lanes beyond column n become 0 in both.

GELU is ``x · Φ(x)``, Φ the normal distribution function (Hendrycks and Gimpel, 2016); SiLU ``x · logistic(x)``.
"""

import functools
from typing import Any

import numpy as np
from numba import from_dtype, prange, types

from fastmlp.compilation.jit import address, body, driver, inlined
from fastmlp.kernels._panels import pack_rows, scratch, unpack_rows
from fastmlp.kernels.softmax import softmax_rows
from fastmlp.simd import elementary
from fastmlp.simd import vector as v
from fastmlp.simd.elementary import constant
from fastmlp.simd.pointer import call, keep_alive, number, offset, pointer

LEAK = 0.01  # slope of the leaky ReLU below 0
ROWS = 96  # of a driver's block


@body
def _logistic(x: Any) -> Any:
    value = elementary.logistic(x)
    return value, v.multiply(value, v.subtract(constant(x, 1.0), value))


@body
def _tanh(x: Any) -> Any:
    value = elementary.tanh(x)
    return value, v.subtract(constant(x, 1.0), v.multiply(value, value))


@body
def _leaky_relu(x: Any) -> Any:
    slope = v.where(x, constant(x, 1.0), constant(x, LEAK))
    return v.multiply(x, slope), slope


@body
def _gelu(x: Any) -> Any:
    decayed = elementary.exp(v.multiply(v.multiply(x, x), constant(x, -0.5)))
    below = elementary.normal_cdf(x, decayed)
    density = v.multiply(decayed, constant(x, 1.0 / np.sqrt(2.0 * np.pi)))
    return v.multiply(x, below), v.fma(x, density, below)


@body
def _silu(x: Any) -> Any:
    share = elementary.logistic(x)
    value = v.multiply(x, share)
    return value, v.fma(value, v.subtract(constant(x, 1.0), share), share)


@body
def _exp(x: Any) -> Any:
    value = elementary.exp_any(x)
    return value, value


@inlined
def _each(function: Any, values: Any, slope: Any, rows: int, n: int, panel: int) -> int:
    lanes = v.lanes(values)
    nothing = number(values, 0.0)
    for j in range(0, n, lanes):
        used = n - j
        for r in range(rows):
            at = j // lanes * panel + r * lanes
            value, derivative = function(v.load(offset(values, at)))
            if used < lanes:
                value, derivative = v.first_lanes(value, used, nothing), v.first_lanes(derivative, used, nothing)
            v.store(value, offset(values, at))
            v.store(derivative, offset(slope, at))
    return rows


# one C function each, and not one with a switch: a network compiles what it uses


def _logistic_rows(values: Any, slope: Any, rows: int, n: int, panel: int) -> int:
    return _each(_logistic, values, slope, rows, n, panel)


def _tanh_rows(values: Any, slope: Any, rows: int, n: int, panel: int) -> int:
    return _each(_tanh, values, slope, rows, n, panel)


def _leaky_relu_rows(values: Any, slope: Any, rows: int, n: int, panel: int) -> int:
    return _each(_leaky_relu, values, slope, rows, n, panel)


def _gelu_rows(values: Any, slope: Any, rows: int, n: int, panel: int) -> int:
    return _each(_gelu, values, slope, rows, n, panel)


def _silu_rows(values: Any, slope: Any, rows: int, n: int, panel: int) -> int:
    return _each(_silu, values, slope, rows, n, panel)


def _exp_rows(values: Any, slope: Any, rows: int, n: int, panel: int) -> int:
    return _each(_exp, values, slope, rows, n, panel)


def _softmax_rows(values: Any, slope: Any, rows: int, n: int, panel: int) -> int:
    softmax_rows(values, rows, n, panel)  # its gradient is the loss's own: no slope
    return rows


_FUNCTIONS = {
    "logistic": _logistic_rows,
    "tanh": _tanh_rows,
    "leaky_relu": _leaky_relu_rows,
    "gelu": _gelu_rows,
    "silu": _silu_rows,
    "exp": _exp_rows,
    "softmax": _softmax_rows,
}


@functools.cache
def activation(name: str, dtype: np.dtype) -> int:
    """Return the address of a compiled function, for `activate`.

    Parameters
    ----------
    name : {"logistic", "tanh", "leaky_relu", "gelu", "silu", "exp", "softmax"}
        The last is a function of a row.
    dtype : numpy.dtype
        float32 or float64, that of the arrays.

    Returns
    -------
    int
        An address, valid in this process.
    """
    real = types.CPointer(from_dtype(dtype))
    return address(_FUNCTIONS[name], types.intp(real, real, types.intp, types.intp, types.intp))


@inlined
def activate_rows(function: int, values: Any, slope: Any, rows: int, n: int, panel: int) -> None:
    """Apply the function at an address to some rows."""
    call(function, (values, slope, rows, n, panel))


@body
def multiply_rows(values: Any, factor: Any, rows: int, n: int, panel: int) -> None:
    """``values = values · factor``."""
    lanes = v.lanes(values)
    for j in range(0, n, lanes):
        for r in range(rows):
            at = j // lanes * panel + r * lanes
            here = offset(values, at)
            v.store(v.multiply(v.load(here), v.load(offset(factor, at))), here)


@body
def _activate_block(function: int, z: Any, out: Any, slope: Any, first: int, count: int) -> None:
    values, slopes = scratch(z, count, z.shape[1]), scratch(z, count, z.shape[1])
    pack_rows(z, first, count, values)
    panel = values.shape[1] * values.shape[2]
    activate_rows(function, pointer(values, 0), pointer(slopes, 0), count, z.shape[1], panel)
    unpack_rows(values, out, first, count)
    unpack_rows(slopes, slope, first, count)
    keep_alive((values, slopes))


@driver
def activate(function: int, z: Any, out: Any, slope: Any) -> None:
    """``out = f(z)``, ``slope = f'(z)``, f the `activation` at an address.

    Parameters
    ----------
    function : int
        From `activation`, for the dtype of ``z``.
    z : numpy.ndarray (rows, n)
    out, slope : numpy.ndarray (rows, n)
        Overwritten; the softmax has no slope and leaves it undefined.
    """
    n = z.shape[0]
    for block in prange((n + ROWS - 1) // ROWS):
        first = np.int64(block) * ROWS
        _activate_block(function, z, out, slope, first, min(n - first, ROWS))
