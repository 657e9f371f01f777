"""The ReLU by itself; in training it is part of the products around it (`fastmlp.kernels.linear`).

``z``, ``out``, ``dout``, ``dz (batch, n)``.
"""

import numpy as np
from numba import prange

from fastmlp.compilation.jit import body, driver
from fastmlp.kernels.checks import expect_same, overlapping, refuse
from fastmlp.kernels.elements import ELEMENTS, padded_piece
from fastmlp.simd import vector as v
from fastmlp.simd.kinds import Array, Pointer
from fastmlp.simd.pointer import keep_alive, offset, pointer
from fastmlp.simd.sizes import ceil_divide


@body
def relu_elements(z: Pointer, n: int, out: Pointer) -> None:
    """``out = max(z, 0)``, whole vectors."""
    for i in range(0, n, v.lanes(z)):
        v.store(v.relu(v.load(offset(z, i))), offset(out, i))


@body
def relu_backward_elements(z: Pointer, dout: Pointer, n: int, dz: Pointer) -> None:
    """``dz = dout`` where ``z > 0``, else 0; whole vectors."""
    for i in range(0, n, v.lanes(z)):
        v.store(v.where_positive(v.load(offset(z, i)), v.load(offset(dout, i))), offset(dz, i))


@body
def _forward_block(z: Array, out: Array, first: int) -> None:
    start, n = pointer(z, first), min(ELEMENTS, len(z) - first)
    whole = n // v.lanes(start) * v.lanes(start)
    relu_elements(start, whole, pointer(out, first))
    if whole < n:
        last = padded_piece(z, first + whole)
        relu_elements(pointer(last, 0), len(last), pointer(last, 0))
        out[first + whole :] = last[: n - whole]
        keep_alive((last,))


@body
def _backward_block(z: Array, dout: Array, dz: Array, first: int) -> None:
    start, n = pointer(z, first), min(ELEMENTS, len(z) - first)
    whole = n // v.lanes(start) * v.lanes(start)
    relu_backward_elements(start, pointer(dout, first), whole, pointer(dz, first))
    if whole < n:
        last, gradient = padded_piece(z, first + whole), padded_piece(dout, first + whole)
        relu_backward_elements(pointer(last, 0), pointer(gradient, 0), len(last), pointer(gradient, 0))
        dz[first + whole :] = gradient[: n - whole]
        keep_alive((last, gradient))


@driver
def relu_forward(z: Array, out: Array) -> None:
    """``out = max(z, 0)``; NaN stays NaN.

    Parameters
    ----------
    z : numpy.ndarray (batch, n)
        Linear outputs of the layer.
    out : numpy.ndarray (batch, n)
        Overwritten.
    """
    refuse(overlapping("z/0 -> out/0 in place", (z, out)))
    expect_same("out", out, "z", z)
    flat, flat_out = z.reshape(-1), out.reshape(-1)
    for block in prange(ceil_divide(flat.shape[0], ELEMENTS)):
        _forward_block(flat, flat_out, np.int64(block) * ELEMENTS)


@driver
def relu_backward(z: Array, dout: Array, dz: Array) -> None:
    """``dz = dout`` where ``z > 0``, else 0.

    Parameters
    ----------
    z : numpy.ndarray (batch, n)
        Inputs of the forward pass.
    dout : numpy.ndarray (batch, n)
        Gradient of the outputs.
    dz : numpy.ndarray (batch, n)
        Overwritten.
    """
    refuse(overlapping("z/0 dout/0 -> dz/0 in place", (z, dout, dz)))
    expect_same("dout", dout, "z", z)
    expect_same("dz", dz, "z", z)
    flat, flat_dout, flat_dz = z.reshape(-1), dout.reshape(-1), dz.reshape(-1)
    for block in prange(ceil_divide(flat.shape[0], ELEMENTS)):
        _backward_block(flat, flat_dout, flat_dz, np.int64(block) * ELEMENTS)
