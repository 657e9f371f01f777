"""A layer whose compiled products read bfloat16. Commits without `fastmlp.kernels.bfloat16` cannot import this file."""

from typing import Any

import numba
import numpy as np

from fastmlp.engine.workspace import aligned
from fastmlp.kernels.bfloat16 import BACKWARD, PACKED, PREPARE, REFRESH, ROUNDED, products
from fastmlp.kernels.nonzero import FORWARD, UPDATE
from fastmlp.kernels.panels import panels_in
from fastmlp.kernels.tiles import TILE_PANELS, Descent
from fastmlp.simd.pointer import pointer
from fastmlp.simd.sizes import ceil_divide, round_up
from fastmlp.simd.target import HAS_BFLOAT16, VECTOR_BYTES

from ._data import Array, normal

LANES = VECTOR_BYTES // 4
OPERANDS = {"rounded": ROUNDED, "packed": PACKED}
# asv repeats the step many times: with this decay the weights stay finite, they approach -dweight / DECAY
RATE, DECAY = 0.01, 0.0005

_prepare_call, _refresh_call = PREPARE.call, REFRESH.call
_forward_call, _backward_call, _update_call = FORWARD.call, BACKWARD.call, UPDATE.call


@numba.njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _prepare(function: int, values: Any, halves: Any, pairs: Any, rows: int, columns: int) -> None:
    _prepare_call(function, (panels_in(values, rows, columns), pointer(halves, 0), pointer(pairs, 0), 1))


@numba.njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _refresh(function: int, weight: Any, copy: Any, transposed: Any) -> None:
    lanes = weight.shape[2]
    outputs, inputs = weight.shape[0], weight.shape[1] // lanes
    size, copied = lanes * lanes, lanes * copy.shape[2]
    for p in range(outputs):
        for k in range(inputs):
            here, there = p * inputs + k, k * outputs + p
            square = pointer(weight, here * size)
            _refresh_call(function, (square, pointer(copy, here * copied), pointer(transposed, there * copied), 1))


@numba.njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _forward(function: int, x: Any, weight: Any, bias: Any, out: Any, shape: Any, lists: Any) -> None:
    batch, n_in, n_out = shape
    below, above, weights = panels_in(x, batch, n_in), panels_in(out, batch, n_out), panels_in(weight, n_in, n_out)
    _forward_call(function, (below, weights, pointer(bias, 0), above, 0, 1.0, pointer(lists, 0)))


@numba.njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _backward(function: int, dout: Any, transposed: Any, mask: Any, dx: Any, shape: Any) -> None:
    batch, n_in, n_out = shape
    above, below, weights = (
        panels_in(dout, batch, n_out),
        panels_in(dx, batch, n_in),
        panels_in(transposed, n_out, n_in),
    )
    _backward_call(function, (above, weights, pointer(mask, 0), below, 1))


@numba.njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _update(function: int, x: Any, dout: Any, weight: Any, shape: Any, tiles: int, step: Any, lists: Any) -> None:
    batch, n_in, n_out = shape
    below, above, weights = panels_in(x, batch, n_in), panels_in(dout, batch, n_out), panels_in(weight, n_in, n_out)
    _update_call(function, (below, above, weights, 0, tiles, step, pointer(lists, 0)))


def to_panels(matrix: Array, rows: int) -> Array:
    """Return a matrix as panels with room for `rows` rows, ``[columns / LANES][rows][LANES]``."""
    m, n = matrix.shape
    panels = aligned(ceil_divide(n, LANES) * rows * LANES, np.float32).reshape(-1, rows, LANES)
    padded = np.pad(matrix, ((0, rows - m), (0, len(panels) * LANES - n)))
    panels[...] = padded.reshape(rows, -1, LANES).transpose(1, 0, 2)
    return panels


def to_matrix(panels: Array, rows: int, columns: int) -> Array:
    """Return the matrix whose elements `panels` holds."""
    return panels.transpose(1, 0, 2).reshape(panels.shape[1], -1)[:rows, :columns]


class Layer:
    """The prepared operands of one layer, and its results.

    Parameters
    ----------
    operands : str
        A key of `OPERANDS`.
    batch, n_in, n_out : int
        The shape of the layer.
    """

    def __init__(self, operands: str, batch: int, n_in: int, n_out: int) -> None:
        if operands == "packed" and not HAS_BFLOAT16:
            raise NotImplementedError("the CPU has no VDPBF16PS")
        self.shape, self.products = (batch, n_in, n_out), products(OPERANDS[operands])
        self.packed = OPERANDS[operands] == PACKED
        rows = round_up(batch, 4) | 1  # as in the engine
        self.x, self.dout = to_panels(normal(batch, n_in), rows), to_panels(normal(batch, n_out, seed=1), rows)
        self.dx, self.out = (aligned(like.size, np.float32).reshape(like.shape) for like in (self.x, self.dout))
        self.x_rows, self.x_pairs = self._prepared(self.x, n_in)
        self.dout_rows, self.dout_pairs = self._prepared(self.dout, n_out)
        self.weight = to_panels(normal(n_in, n_out, seed=2), round_up(n_in, LANES))
        self.copy = self._memory(len(self.weight), self.weight.shape[1])
        self.transposed = self._memory(len(self.x), round_up(n_out, LANES))
        _refresh(self.products.refresh, self.weight, self.copy, self.transposed)
        self.bias, self.lists = aligned(round_up(n_out, LANES), np.float32), np.zeros(1, np.uint8)
        self.tiles = ceil_divide(n_in, LANES) * ceil_divide(n_out, TILE_PANELS * LANES)

    def _memory(self, panels: int, rows: int) -> Array:
        """Return memory for a copy as panels; half as much for a copy with 16 bits for each number."""
        width = LANES // 2 if self.packed else LANES
        return aligned(panels * rows * width, np.float32).reshape(panels, rows, width)

    def _prepared(self, values: Array, columns: int) -> tuple[Array, Array]:
        """Round a matrix in place; return the operands for products of its rows and for products of its columns."""
        halves, pairs = (self._memory(*values.shape[:2]) if self.packed else values for _ in range(2))
        _prepare(self.products.prepare, values, halves, pairs, self.shape[0], columns)
        return halves, pairs

    def forward(self) -> Array:
        """Compute and return ``out = x·weight + bias``."""
        _forward(self.products.forward, self.x_rows, self.copy, self.bias, self.out, self.shape, self.lists)
        return self.out

    def backward(self) -> Array:
        """Compute and return ``dx = dout·weightᵀ`` where x is above 0."""
        _backward(self.products.backward, self.dout_rows, self.transposed, self.x, self.dx, self.shape)
        return self.dx

    def update(self) -> Array:
        """Update the weights by one step and return them."""
        step = Descent(rate=RATE, keep=1 - RATE * DECAY, bias_rate=RATE)
        x, dout, function = self.x_pairs, self.dout_pairs, self.products.update
        _update(function, x, dout, self.weight, self.shape, self.tiles, step, self.lists)
        return self.weight
