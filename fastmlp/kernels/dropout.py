"""Dropout: elements of hidden layers set to 0 at random, the others scaled up so that the mean stays.

Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting" (2014); there the scaling
is left to prediction.

``values (batch, n)``, in place. The mask is a function of a key, the step, the layer, the row's place in the mini-batch
and the column (`fastmlp.simd.random`): backward draws the same one again instead of keeping it, and no bit depends on
threads. An element is dropped when its random word is below ``threshold`` out of 2**32.
"""

import functools
from typing import Any

import numpy as np
from numba import from_dtype, prange, types

from fastmlp.compilation.jit import address, body, driver
from fastmlp.kernels._panels import pack_rows, scratch, unpack_rows
from fastmlp.simd import vector as v
from fastmlp.simd.pointer import keep_alive, number, offset, pointer
from fastmlp.simd.random import WORDS, keep_mask

RANGE = 1 << 32  # of a random word
ROWS = 96  # of a driver's block, in whole groups of rows that share a counter


def threshold_of(rate: float) -> int:
    """Return the threshold that drops a share `rate` of the elements."""
    return min(round(rate * RANGE), RANGE - 1)


@body
def drop_rows(values: Any, first: int, rows: int, n: int, panel: int, layer: int, step: int, key: int, threshold: int,
              ) -> None:  # fmt: skip
    """Drop elements of `rows` rows, the first of which is row `first`, a multiple of 4, of the mini-batch."""
    lanes = v.lanes(values)
    factor = number(values, RANGE / (RANGE - threshold))
    when = step << 16 | layer
    for j in range(0, n, lanes):
        start = offset(values, j // lanes * panel)
        for r in range(0, rows, WORDS):
            here = offset(start, r * lanes)
            masks = keep_mask(v.load(here), key, j, (first + r) // WORDS, when, threshold, factor)
            for i in range(min(WORDS, rows - r)):
                there = offset(here, i * lanes)
                v.store(v.multiply(v.load(there), masks[i]), there)


def _drop(values: Any, first: int, rows: int, n: int, panel: int, layer: int, step: int, key: int, threshold: int,
          ) -> int:  # fmt: skip
    drop_rows(values, first, rows, n, panel, layer, step, key, threshold)
    return rows


@functools.cache
def dropper(dtype: np.dtype) -> int:
    """Return the address of `drop_rows` for a dtype, which returns a number."""
    return address(_drop, types.intp(types.CPointer(from_dtype(dtype)), *8 * [types.int64]))


@body
def _drop_block(x: Any, key: int, step: int, layer: int, threshold: int, out: Any, first: int, count: int) -> None:
    panels = scratch(x, count, x.shape[1])
    pack_rows(x, first, count, panels)
    panel = panels.shape[1] * panels.shape[2]
    drop_rows(pointer(panels, 0), first, count, x.shape[1], panel, layer, step, key, threshold)
    unpack_rows(panels, out, first, count)
    keep_alive((panels,))


@driver
def dropout(x: Any, key: int, step: int, layer: int, threshold: int, out: Any) -> None:
    """``out = x · 2³² / (2³² - threshold)`` where the random word is at least `threshold`, else 0.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting" (2014); there the
    scaling is left to prediction.

    Parameters
    ----------
    x : numpy.ndarray (batch, n)
    key : int
        Of the random generator (Philox), 64 bits.
    step, layer : int
        Part of the generator's counter: every step and layer has a mask of its own.
    threshold : int
        Out of 2³²: the dropped share of the elements times 2³², below 2³².
    out : numpy.ndarray (batch, n)
        Overwritten.
    """
    n = x.shape[0]
    for block in prange((n + ROWS - 1) // ROWS):
        first = np.int64(block) * ROWS
        _drop_block(x, key, step, layer, threshold, out, first, min(n - first, ROWS))
