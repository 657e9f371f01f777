"""Reading ahead of the rows of several shards, a part of each in every block."""

from collections.abc import Iterator, Sequence

import numpy as np

from fastmlp.streaming.filling import Block, Filler
from fastmlp.streaming.order import Read, Share
from fastmlp.streaming.reader import ReadAhead


class Feed:
    """The rows of one shard, some at a time.

    Parameters
    ----------
    reads : iterator of Read
        All rows of the shard's pieces.
    filler : Filler
        Writes them into blocks.
    share : Share
        Which of them are meant.
    rows : int
        How many are meant.
    """

    def __init__(self, reads: Iterator[Read], filler: Filler, share: Share, rows: int) -> None:
        self._reads, self._filler, self._share, self._left = reads, filler, share, rows
        self._read: Read | None = None
        self._places: np.ndarray | None = None
        self._start = self._end = 0

    def write(self, count: int, block: Block) -> None:
        """Write the next rows behind those of a block.

        Raises
        ------
        StreamError
            A file cannot be read, or holds what no network takes.
        """
        self._left -= count
        while count:
            while self._start == self._end:  # also where all rows of a piece are held out
                self._read, self._start = next(self._reads), 0
                self._places = self._share.places(self._read)
                self._end = self._read.rows if self._places is None else len(self._places)
            end = min(self._end, self._start + count)
            assert self._read is not None
            places = None if self._places is None else self._places[:end]
            written = self._filler.write(self._read._replace(rows=end), places, self._start, block)
            self._start, count = self._start + written, count - written
        if not self._left:
            for _ in self._reads:  # what is held out; and a file may hold more rows than it said
                pass


class ShardReader(ReadAhead):
    """Blocks with rows of several shards, one shard's behind the other's.

    Parameters
    ----------
    feeds : sequence of Feed
        One for each shard.
    counts : sequence of numpy.ndarray (shards,)
        For each block, how many rows of each shard it takes.
    blocks : sequence of Block
        Two with room for them.
    """

    def __init__(self, feeds: Sequence[Feed], counts: Sequence[np.ndarray], blocks: Sequence[Block]) -> None:
        super().__init__(blocks)
        self._feeds, self._counts = feeds, counts

    def fill_all(self) -> None:
        """Fill a block for each of the counts."""
        for counts in self._counts:
            block = self.take()
            for feed, count in zip(self._feeds, counts.tolist(), strict=True):
                if self.stopped or block is None:
                    return
                feed.write(count, block)
            assert block is not None
            self.give(block)
