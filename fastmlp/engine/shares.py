"""Who does what while a pass lasts: a thread's own share piece by piece, then what is left of the others'.

The cores of one machine are seldom equally fast: on a virtual machine whose neighbours are at work, one of two was seen
at half the speed of the other for milliseconds on end. Whoever does a piece, its bits are the same.
"""

from typing import NamedTuple

from fastmlp.compilation.jit import borrowing
from fastmlp.engine.plan import CHUNK_ROWS
from fastmlp.simd.atomics import LINE, compare_exchange, load_shared
from fastmlp.simd.kinds import Pointer, Record
from fastmlp.simd.pointer import offset
from fastmlp.simd.sizes import ceil_divide, round_up

LEAST_ROWS = 24  # of a piece; with fewer rows, reading the weights for them takes longer than sharing them saves
LEAST_TILE_ROWS = 1024  # of a piece of tiles: tiles × rows of the mini-batch, about 10 µs of work
REST = 3  # a piece is a third of what is left: the last ones are small, so that all threads end at the same time


class Claims(NamedTuple):
    """Cells that say how much of each thread's share is taken.

    Attributes
    ----------
    start : pointer
        To the first thread's cells.
    stride : int
        Cells of a thread.
    """

    start: Pointer
    stride: int


@borrowing
def take(cell: Pointer, total: int, unit: int, most: int) -> tuple[int, int]:
    """Take the next piece of a share of `total`; return where it starts and its length, 0 when nothing is left.

    Pieces are multiples of `unit`, at most `most` long, except the last.
    """
    while True:
        start = load_shared(cell)
        rest = total - start
        if rest <= 0:
            return start, rest * 0
        taken = min(rest, most, round_up(ceil_divide(rest, REST), unit))
        if compare_exchange(cell, start, start + taken):
            return start, taken


@borrowing
def blocks_of(settings: Record, n: int) -> int:
    """Blocks of a mini-batch of `n` rows."""
    return ceil_divide(n, settings.block)


@borrowing
def share_of_rows(settings: Record, thread: int, n: int) -> tuple[int, int]:
    """First row and number of rows of a thread's share of a mini-batch of `n` rows: whole blocks."""
    blocks = blocks_of(settings, n)
    first = blocks * thread // settings.threads * settings.block
    return first, min(n, blocks * (thread + 1) // settings.threads * settings.block) - first


@borrowing
def row_pieces(settings: Record) -> tuple[int, int]:
    """Unit and greatest length of a piece of rows, in whole blocks."""
    most = max(settings.block, CHUNK_ROWS // settings.block * settings.block)
    return (round_up(LEAST_ROWS, settings.block), most) if settings.threads > 1 else (most, most)


@borrowing
def tile_unit(settings: Record, n: int, tiles: int) -> int:
    """Tiles of the smallest piece when a tile sums over `n` rows; all `tiles` where there is nobody to take any."""
    return max(1, LEAST_TILE_ROWS // n) if settings.threads > 1 else tiles


@borrowing
def row_cell(claims: Claims, thread: int, number: int) -> Pointer:
    """How many rows of a thread's share are taken; passes in turn use two cells, so that one can be set back."""
    return offset(claims.start, thread * claims.stride + number % 2 * LINE)


@borrowing
def tile_cell(claims: Claims, thread: int, layer: int) -> Pointer:
    """How many tiles of a thread's share of a layer are taken."""
    return offset(claims.start, thread * claims.stride + 2 * LINE + layer)
