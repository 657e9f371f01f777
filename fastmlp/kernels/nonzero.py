"""The first layer's products where most of the data are zeros, which are not multiplied.

Compiled on their own and called by address: who has no such data does not wait for them.
"""

import functools
from typing import Any

import numpy as np
from numba import from_dtype, types

from fastmlp.compilation.jit import address
from fastmlp.inputs.sparse import Matrix
from fastmlp.kernels._lists import HEIGHT, list_columns
from fastmlp.kernels.linear import padded, update_tiles
from fastmlp.simd import gemm
from fastmlp.simd import vector as v
from fastmlp.simd.pointer import number

SAMPLE = 64  # rows
LEAST = 16  # columns: with fewer, the first layer is not where the time goes
# of all terms: with more, the lists take as long as they save, which with few outputs is less
MOST, MOST_NARROW, NARROW = 0.6, 0.35, 64
_SIZE = types.intp  # also of a flag: compiled code has booleans of a bit, C of a byte


def mostly_zeros(x: Matrix, n_out: int) -> bool:
    """Whether leaving out zeros pays for data ``x (n, n_in)`` and a first layer of `n_out` outputs.

    It looks at a sample of the rows, in 50 to 170 µs.
    """
    if len(x) < HEIGHT or x.shape[1] < LEAST:
        return False
    some = np.asarray(x[np.linspace(0, len(x) - 1, min(len(x), SAMPLE)).astype(np.int64)]) != 0
    return (_left(some) + _left(some.T)) / 2 < (MOST_NARROW if n_out < NARROW else MOST)


def _left(factors: np.ndarray) -> float:
    """The share of the terms that are not zero in all of as many neighbours as a tile has rows."""
    stop = len(factors) // HEIGHT * HEIGHT
    return float(np.logical_or.reduce([factors[i:stop:HEIGHT] for i in range(HEIGHT)]).mean())


def _forward(x: Any, weight: Any, bias: Any, out: Any, rows: int, n_in: int, n_out: int, panel: int, relu: int,
             lists: Any) -> int:  # fmt: skip
    list_columns(x, rows, n_in, panel, lists)
    zero = number(x, 0.0)
    weight_panel = padded(n_in, v.lanes(x)) * v.lanes(x)
    if relu != 0:
        gemm.forward_relu_listed(
            x, weight, out, bias, padded(rows, 4), n_out, n_in, panel, weight_panel, panel, zero, zero, lists
        )
    else:
        gemm.forward_listed(
            x, weight, out, bias, padded(rows, 4), n_out, n_in, panel, weight_panel, panel, zero, zero, lists
        )
    return rows


def _update(x: Any, dout: Any, weight: Any, bias: Any, first: int, last: int, rows: int, n_in: int, n_out: int,
            panel: int, rate: float, keep: float, lists: Any) -> int:  # fmt: skip
    update_tiles(x, dout, weight, weight, bias, first, last, rows, n_in, n_out, panel, rate, keep, False, lists)
    return rows


@functools.cache
def forward(dtype: np.dtype) -> int:
    """Return the address of ``forward(x, weight, bias, out, rows, n_in, n_out, panel, relu, lists)``."""
    p = types.CPointer(from_dtype(dtype))
    return address(_forward, _SIZE(p, p, p, p, *(_SIZE,) * 5, types.CPointer(types.uint8)))


@functools.cache
def update(dtype: np.dtype) -> int:
    """Return the address of ``update(x, dout, weight, bias, first, … panel, rate, keep, lists)``."""
    p, numbers = types.CPointer(from_dtype(dtype)), (types.float64, types.float64)
    return address(_update, _SIZE(p, p, p, p, *(_SIZE,) * 6, *numbers, types.CPointer(types.uint8)))
