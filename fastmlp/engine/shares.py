"""Who does what while a phase lasts: a thread's own share piece by piece, then what is left of the others'.

The cores of one machine are seldom equally fast: on a virtual machine whose neighbours are at work, one of two was seen
at half the speed of the other for milliseconds on end. Whoever does a piece, its bits are the same.
"""

from typing import Any

from fastmlp.compilation.jit import body, inlined
from fastmlp.engine.plan import CHUNK_ROWS
from fastmlp.kernels.linear import padded
from fastmlp.simd.atomics import LINE, compare_exchange, load_shared
from fastmlp.simd.pointer import offset

LEAST_ROWS = 24  # of a piece: two runs of tall tiles; with fewer, reading the weights costs more than it gains
LEAST_TILE_ROWS = 1024  # of a piece of tiles, rows of each tile counted: about 10 µs of work
REST = 3  # a piece is a third of what is left: the last ones are small, so that all threads end at the same time


@body
def take(cell: Any, total: int, unit: int, most: int) -> Any:
    """Take the next piece of a share of `total`; return where it starts and its length, 0 when nothing is left.

    Pieces are multiples of `unit`, at most `most` long, except the last.
    """
    while True:
        start = load_shared(cell)
        rest = total - start
        if rest <= 0:
            return start, rest * 0
        taken = min(rest, most, padded((rest + REST - 1) // REST, unit))
        if compare_exchange(cell, start, start + taken):
            return start, taken


@inlined
def blocks_of(s: Any, n: int) -> int:
    """Blocks of a mini-batch of `n` rows."""
    return (n + s.block - 1) // s.block


@inlined
def share_of_rows(s: Any, thread: int, n: int) -> Any:
    """First row and number of rows of a thread's share of a mini-batch of `n` rows: whole blocks."""
    blocks = blocks_of(s, n)
    first = blocks * thread // s.threads * s.block
    return first, min(n, blocks * (thread + 1) // s.threads * s.block) - first


@inlined
def row_pieces(s: Any) -> Any:
    """Unit and greatest length of a piece of rows, in whole blocks."""
    most = max(s.block, CHUNK_ROWS // s.block * s.block)
    return (padded(LEAST_ROWS, s.block), most) if s.threads > 1 else (most, most)


@inlined
def tile_unit(s: Any, n: int, tiles: int) -> int:
    """Tiles of the smallest piece when a tile sums over `n` rows; all `tiles` where there is nobody to take any."""
    return max(1, LEAST_TILE_ROWS // n) if s.threads > 1 else tiles


@inlined
def row_cell(claims: Any, stride: int, thread: int, phase: int) -> Any:
    """How many rows of a thread's share are taken; phases in turn use two cells, so that one can be set back."""
    return offset(claims, thread * stride + phase % 2 * LINE)


@inlined
def tile_cell(claims: Any, stride: int, thread: int, layer: int) -> Any:
    """How many tiles of a thread's share of a layer are taken."""
    return offset(claims, thread * stride + 2 * LINE + layer)
