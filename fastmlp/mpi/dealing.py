"""Which row groups of a stream each shard reads, and how many rows of each are in memory at a time.

What one shard does depends on the number of all shards, and not on the process that has it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fastmlp.streaming.order import Piece
from fastmlp.streaming.rows import Room


def deal(pieces: Sequence[Piece], n_shards: int, rng: np.random.Generator) -> list[list[Piece]]:
    """Deal out pieces in a random order, the largest first, each to the shard with the fewest rows so far.

    Returns
    -------
    list of list of Piece
        For each shard its pieces, in the order of the stream.
    """
    drawn = rng.permutation(len(pieces))
    drawn = drawn[np.argsort([-pieces[i].rows for i in drawn], kind="stable")]
    rows, found = np.zeros(n_shards, np.int64), [list[int]() for _ in range(n_shards)]
    for i in drawn.tolist():
        shard = int(rows.argmin())
        found[shard].append(i)
        rows[shard] += pieces[i].rows
    return [[pieces[i] for i in sorted(numbers)] for numbers in found]


class Portions(NamedTuple):
    """How much of each shard is in memory at a time, of the room for all of them.

    Attributes
    ----------
    room : Room
        For all shards: so many rows are in one process that has all of them.
    shards : int
        How many there are.
    """

    room: Room
    shards: int

    @property
    def chunk(self) -> int:
        """Rows that are decoded at a time, at most."""
        return max(1, self.room.chunk // self.shards)

    @property
    def turn(self) -> int:
        """Rows that are read from a piece until it is the turn of the shard's next one."""
        return min(self.chunk, self.room.turn)

    @property
    def side_by_side(self) -> int:
        """Pieces of a shard that are read in turns."""
        return max(1, self.room.side_by_side // self.shards)

    @property
    def alone(self) -> int:
        """Rows of a block that has rows of one shard only."""
        return max(1, (self.room.rows_in_memory - self.room.chunk) // 2 // self.shards)

    def steps(self, begins: np.ndarray) -> int:
        """Return of how many steps a block has the rows.

        Parameters
        ----------
        begins : numpy.ndarray (steps + 1, shards)
            How many rows of each shard come before each step, and behind the last.

        Raises
        ------
        ValueError
            There is no room for two mini-batches.
        """
        most = int(np.diff(begins.sum(axis=1)).max())
        return self.room.block(most) // most


def counts_of_blocks(begins: np.ndarray, steps: int) -> np.ndarray:
    """Return how many rows of each shard are in each block of so many steps ``(blocks, shards)``."""
    last = len(begins) - 1
    ends = np.minimum(np.arange(0, last + steps, steps), last)
    return np.diff(begins[ends], axis=0)
