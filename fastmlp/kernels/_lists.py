"""Lists of the terms that are not all zero, for the first layer's products where most of the data are zeros.

A register tile shares its terms: some rows of the mini-batch in the forward pass, as many columns of the data in dW. A
term whose factors are all 0 adds 0 to finite numbers, so leaving it out changes no bit. `fastmlp.simd.gemm` says what a
list is.
"""

from typing import Any

import numpy as np

from fastmlp.compilation.jit import body, inlined
from fastmlp.simd import vector as v
from fastmlp.simd.gemm import LIST, LISTED
from fastmlp.simd.pointer import offset
from fastmlp.simd.target import TILES

HEIGHT = TILES.listed[0]
# of every byte the numbers of the bits that are set, each a byte of an integer, the first the lowest
PLACES = np.array([sum(bit << 8 * i for i, bit in enumerate(b for b in range(8) if m >> b & 1)) for m in range(256)])
STEPS = HEIGHT.bit_length() - 1  # the height is 2 or 4
EVERY = 0x0101010101010101  # byte


@inlined
def _append(terms: Any, n: int, found: int, first: int) -> int:
    """Append the bits of a byte, counted from `first`; return the new length."""
    v.store_bytes(PLACES[found] + first * EVERY, offset(terms, 1 + n))
    return n + v.count_bits(found)


@inlined
def _end(terms: Any, n: int) -> None:
    if n == 0:
        terms[1] = 0
    terms[0] = max(n, 1)


@body
def list_columns(x: Any, rows: int, n_in: int, panel: int, lists: Any) -> None:
    """For each tile of `rows` rows of panels, the columns that are not all zero in it."""
    lanes = v.lanes(x)
    terms = lists
    for first in range(0, (rows + 3) // 4 * 4, HEIGHT):
        for start in range(0, n_in, LISTED):
            n = 0
            for j in range(start, min(start + LISTED, n_in), lanes):
                strip = offset(x, j // lanes * panel + first * lanes)
                bits = v.load(strip)
                for r in range(1, HEIGHT):
                    bits = v.either(bits, v.load(offset(strip, r * lanes)))
                found = v.nonzero_lanes(bits)
                for lane in range(0, lanes, 8):
                    n = _append(terms, n, (found >> lane) & 255, j - start + lane)
            _end(terms, n)
            terms = offset(terms, LIST)


@body
def _by_tiles(masks: int) -> int:
    """Of each 16 bits, one for each lane, the bits of every tile's lanes or'ed, moved together."""
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
def list_rows(x: Any, columns: int, rows: int, lists: Any) -> None:
    """For each tile of `columns` columns of one panel, the rows that are not all zero in it; at most `LISTED`."""
    lanes, tiles = v.lanes(x), columns // HEIGHT
    for tile in range(tiles):
        lists[tile * LIST] = 0
    for start in range(0, rows, 8):
        even, odd = 0, 0
        for r in range(start, min(start + 8, rows), 2):
            even |= v.nonzero_lanes(v.load(offset(x, r * lanes))) << 8 * (r - start)
            if r + 1 < rows:
                odd |= v.nonzero_lanes(v.load(offset(x, (r + 1) * lanes))) << 8 * (r - start)
        found = _transposed(_by_tiles(even) | _by_tiles(odd) << 8)
        for tile in range(tiles):
            terms = offset(lists, tile * LIST)
            terms[0] = _append(terms, np.int64(terms[0]), (found >> 8 * tile) & 255, start)
    for tile in range(tiles):
        terms = offset(lists, tile * LIST)
        _end(terms, np.int64(terms[0]))


def lists_bytes(rows: int, n_in: int, lanes: int) -> int:
    """Return the memory that the lists of `rows` rows need, or those of a panel's columns."""
    return max((rows + 3) // 4 * 4 // HEIGHT * (-(-n_in // LISTED) * LIST), lanes // HEIGHT * LIST)
