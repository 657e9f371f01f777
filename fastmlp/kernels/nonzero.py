"""The first layer's products where most of the data are zeros, which are not multiplied.

A register tile shares its terms: some rows of the mini-batch in the forward pass, as many columns of the data in dW. A
term whose factors are all 0 adds 0 to finite numbers, so leaving it out changes no bit. The terms that are left are
listed; `fastmlp.simd.gemm` says what a list is. The products are compiled on their own and called by address: who has
no such data does not wait for them.
"""

import functools

import numpy as np
from numba import types

from fastmlp.compilation.jit import body
from fastmlp.kernels.panels import Panels, panels_type, strip_of
from fastmlp.kernels.tiles import SUM_ROWS, Descent, factors_of, square_of, tile_at
from fastmlp.simd import gemm
from fastmlp.simd import vector as v
from fastmlp.simd.gemm import LIST, LISTED
from fastmlp.simd.interface import Interface
from fastmlp.simd.kinds import Pointer
from fastmlp.simd.pointer import number, offset
from fastmlp.simd.sizes import ceil_divide, round_up
from fastmlp.simd.target import TILES

HEIGHT = TILES.listed[0]
# For every byte, an integer whose bytes are the numbers of the bits that are set in it, the lowest first.
PLACES = np.array([sum(bit << 8 * i for i, bit in enumerate(b for b in range(8) if m >> b & 1)) for m in range(256)])
STEPS = HEIGHT.bit_length() - 1  # the height is 2 or 4
EVERY = 0x0101010101010101  # a number times this has that number in every byte
# The order of the terms in a list: what each term's number is combined with by an exclusive or. Swapped: of two
# neighbours the second one comes first, as `fastmlp.kernels.bfloat16` sums them.
IN_ORDER, SWAPPED = 0, EVERY


@body
def _append(terms: Pointer, n: int, found: int, first: int, order: int) -> int:
    """Append the bits of a byte, counted from `first`; return the new length."""
    v.store_bytes((PLACES[found] + first * EVERY) ^ order, offset(terms, 1 + n))
    return n + v.count_bits(found)


@body
def _in_order(bits: int, order: int) -> int:
    """Return the bits, of every two neighbours the second one first where the order is `SWAPPED`."""
    return bits if order == IN_ORDER else (bits & 0x5555555555555555) << 1 | (bits >> 1) & 0x5555555555555555


@body
def _end(terms: Pointer, n: int) -> None:
    if n == 0:
        terms[1] = 0
    terms[0] = max(n, 1)


@body
def list_columns(x: Panels, lists: Pointer, order: int) -> None:
    """For each tile of rows of panels, list the columns that are not all zero in it."""
    lanes, n_in = v.lanes(x.start), x.columns
    terms = lists
    for first in range(0, round_up(x.rows, 4), HEIGHT):
        for start in range(0, n_in, LISTED):
            n = 0
            for j in range(start, min(start + LISTED, n_in), lanes):
                strip = offset(strip_of(x, j), first * lanes)
                bits = v.load(strip)
                for r in range(1, HEIGHT):
                    bits = v.either(bits, v.load(offset(strip, r * lanes)))
                found = _in_order(v.nonzero_lanes(bits), order)
                for lane in range(0, lanes, 8):
                    n = _append(terms, n, (found >> lane) & 255, j - start + lane, order)
            _end(terms, n)
            terms = offset(terms, LIST)


@body
def _by_tiles(masks: int) -> int:
    """Join the bits of the lanes of each tile.

    `masks` holds 16 bits for each of several rows, one bit for each lane. A tile has `HEIGHT` neighbouring lanes. The
    result has one bit for each tile, set where any of the tile's lanes is; the bits of a row's tiles are neighbours.
    """
    for _ in range(STEPS):
        masks = (masks | masks >> 1) & 0x5555555555555555
        masks = (masks | masks >> 1) & 0x3333333333333333
        masks = (masks | masks >> 2) & 0x0F0F0F0F0F0F0F0F
        masks = (masks | masks >> 4) & 0x00FF00FF00FF00FF
    return masks


@body
def _transposed(bits: int) -> int:
    """Swap bit j of byte i with bit i of byte j: Warren, "Hacker's Delight", 2nd edition, section 7-3."""
    for shift, mask in ((7, 0x00AA00AA00AA00AA), (14, 0x0000CCCC0000CCCC), (28, 0x00000000F0F0F0F0)):
        moved = (bits ^ bits >> shift) & mask
        bits ^= moved ^ moved << shift
    return bits


@body
def list_rows(x: Panels, lists: Pointer, order: int) -> None:
    """For each tile of columns of one panel, list the rows that are not all zero in it; at most `LISTED` rows."""
    lanes, rows, tiles = v.lanes(x.start), x.rows, round_up(x.columns, 4) // HEIGHT
    for tile in range(tiles):
        lists[tile * LIST] = 0
    for start in range(0, rows, 8):
        even, odd = 0, 0
        for r in range(start, min(start + 8, rows), 2):
            even |= v.nonzero_lanes(v.load(offset(x.start, r * lanes))) << 8 * (r - start)
            if r + 1 < rows:
                odd |= v.nonzero_lanes(v.load(offset(x.start, (r + 1) * lanes))) << 8 * (r - start)
        found = _in_order(_transposed(_by_tiles(even) | _by_tiles(odd) << 8), order)
        for tile in range(tiles):
            terms = offset(lists, tile * LIST)
            terms[0] = _append(terms, np.int64(terms[0]), (found >> 8 * tile) & 255, start, order)
    for tile in range(tiles):
        terms = offset(lists, tile * LIST)
        _end(terms, np.int64(terms[0]))


def lists_bytes(rows: int, n_in: int, lanes: int) -> int:
    """Return the memory that the lists of `rows` rows need, or those of a panel's columns."""
    return max(round_up(rows, 4) // HEIGHT * ceil_divide(n_in, LISTED) * LIST, lanes // HEIGHT * LIST)


def _forward(x: Panels, weight: Panels, bias: Pointer, out: Panels, relu: int, scale: float, lists: Pointer) -> None:
    list_columns(x, lists, IN_ORDER)
    zero = number(bias, 0.0)
    if relu != 0:
        gemm.forward_relu_listed(x, weight, out, bias, zero, zero, lists)
    else:
        gemm.forward_listed(x, weight, out, bias, zero, zero, lists)


@body
def update_listed(
    x: Panels, dout: Panels, weight: Panels, tiles: tuple[int, int], step: Descent, lists: Pointer, order: int
) -> None:
    """``weight = keep · weight - rate · xᵀ·dout`` for the tiles from the first up to the last, by lists of the rows."""
    lanes, rate = v.lanes(weight.start), number(weight.start, step.rate)
    for start in range(0, x.rows, SUM_ROWS):
        kept = number(weight.start, step.keep if start == 0 else 1.0)
        listed = -1
        for i in range(tiles[0], tiles[1]):
            tile = tile_at(i, x.columns, dout.columns, lanes)
            below, above = factors_of(x, dout, tile, start, lanes)
            if tile.k != listed:
                list_rows(below, lists, order)
                listed = tile.k
            here = offset(weight.start, square_of(tile, tile.first, lanes))
            out = Panels(start=here, stride=weight.stride, rows=below.columns, columns=above.columns)
            gemm.update_listed(below, above, out, here, -rate, kept, lists)


def _update(x: Panels, dout: Panels, weight: Panels, first: int, last: int, step: Descent, lists: Pointer) -> None:
    update_listed(x, dout, weight, (first, last), step, lists, IN_ORDER)


_BYTES, _INT = types.CPointer(types.uint8), types.int64
_DESCENT = types.NamedUniTuple(types.float64, 3, Descent)
# (x, weight, bias, out, relu, scale, lists): out = scale · x·weight + bias, or its positive part; memory for lists
FORWARD = Interface(
    lambda real: (
        *2 * (panels_type(real),), types.CPointer(real), panels_type(real), _INT, types.float64, _BYTES,
    )
)  # fmt: skip
# (x, dout, weight, first, last, step, lists): `update_tiles` of the weights alone, with memory for lists
UPDATE = Interface(lambda real: (*3 * (panels_type(real),), _INT, _INT, _DESCENT, _BYTES))


@functools.cache
def products(dtype: np.dtype) -> tuple[int, int]:
    """Return the addresses of functions of the interfaces `FORWARD` and `UPDATE`."""
    return FORWARD.address(_forward, dtype), UPDATE.address(_update, dtype)
