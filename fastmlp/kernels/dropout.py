"""Dropout: elements of hidden layers set to 0 at random, the others scaled up so that the mean stays.

Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting" (2014); there the scaling
is left to prediction.

``values (batch, n)``, in place. The mask is a function of a key, the step, the layer, the row's place in the mini-batch
and the column (`fastmlp.simd.random`): backward draws the same one again instead of keeping it, and no bit depends on
threads. An element is dropped when its random word is below ``threshold`` out of 2**32.
"""

import functools
from typing import NamedTuple

import numpy as np
from numba import prange, types

from fastmlp.compilation.jit import body, driver
from fastmlp.kernels.checks import ArrayError, expect_matrix, overlapping, refuse
from fastmlp.kernels.panels import Panels, pack_rows, panels_in, panels_type, scratch, strip_of, unpack_rows
from fastmlp.simd import vector as v
from fastmlp.simd.interface import Interface
from fastmlp.simd.kinds import Array
from fastmlp.simd.pointer import keep_alive, number, offset
from fastmlp.simd.random import WORDS, keep_mask
from fastmlp.simd.sizes import ceil_divide

RANGE = 1 << 32  # how many values a random word has
ROWS = 96  # of a driver's block, in whole groups of rows that share a counter


def threshold_of(rate: float) -> int:
    """Return the threshold that drops a share `rate` of the elements."""
    return min(round(rate * RANGE), RANGE - 1)


class Mask(NamedTuple):
    """Names one mask: which elements of a layer are dropped in a step."""

    key: int
    step: int
    layer: int
    threshold: int


_INT = types.int64
_MASK = types.NamedUniTuple(_INT, 4, Mask)
# (values, first, mask): `drop_rows`
DROP = Interface(lambda real: (panels_type(real), _INT, _MASK))


@body
def drop_rows(values: Panels, first: int, mask: Mask) -> None:
    """Drop elements of some rows, the first of which is row `first`, a multiple of 4, of the mini-batch."""
    lanes = v.lanes(values.start)
    factor = number(values.start, RANGE / (RANGE - mask.threshold))
    when = mask.step << 16 | mask.layer
    for j in range(0, values.columns, lanes):
        start = strip_of(values, j)
        for r in range(0, values.rows, WORDS):
            here = offset(start, r * lanes)
            masks = keep_mask(v.load(here), mask.key, j, (first + r) // WORDS, when, mask.threshold, factor)
            for i in range(min(WORDS, values.rows - r)):
                there = offset(here, i * lanes)
                v.store(v.multiply(v.load(there), masks[i]), there)


def _drop(values: Panels, first: int, mask: Mask) -> None:
    drop_rows(values, first, mask)


@functools.cache
def dropper(dtype: np.dtype) -> int:
    """Return the address of `drop_rows` for a dtype, of the interface `DROP`."""
    return DROP.address(_drop, dtype)


@body
def _drop_block(x: Array, mask: Mask, out: Array, first: int, count: int) -> None:
    panels = scratch(x, count, x.shape[1])
    rows = panels_in(panels, count, x.shape[1])
    pack_rows(x, first, rows)
    drop_rows(rows, first, mask)
    unpack_rows(rows, out, first)
    keep_alive((panels,))


@driver
def dropout(x: Array, key: int, step: int, layer: int, threshold: int, out: Array) -> None:
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
    refuse(overlapping("x/2 -> out/2 in place", (x, out)))
    expect_matrix("out", out, x.shape[0], x.shape[1])
    if threshold < 0 or threshold >= RANGE:
        raise ArrayError("threshold", ("be from 0 to below", RANGE), threshold)
    n = x.shape[0]
    mask = Mask(key=key, step=step, layer=layer, threshold=threshold)
    for block in prange(ceil_divide(n, ROWS)):
        first = np.int64(block) * ROWS
        _drop_block(x, mask, out, first, min(n - first, ROWS))
