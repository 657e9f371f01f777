"""The rows of a stream that one network trains on, is validated on or predicts, block by block."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastmlp.inputs.streamed import StreamError
from fastmlp.streaming.filling import Block, Filler
from fastmlp.streaming.order import Piece, Read, Share, read_in_order
from fastmlp.streaming.reader import Reader

CHUNK_ROWS = 4096  # that are decoded at a time, at most
PARTS = 8  # at most this part of the rows in memory is one that is just being decoded
TURNS = 2  # of each piece that is read side by side, in a block


class Room(NamedTuple):
    """How many rows are in memory at a time.

    Attributes
    ----------
    rows_in_memory : int
        In all.
    side_by_side : int
        Pieces that are read in turns.
    """

    rows_in_memory: int
    side_by_side: int

    @property
    def chunk(self) -> int:
        """Rows that are decoded at a time, at most."""
        return max(1, min(CHUNK_ROWS, self.rows_in_memory // PARTS))

    @property
    def turn(self) -> int:
        """Rows that are read from a piece until it is the turn of the next: a block takes some from every piece."""
        return max(1, min(self.chunk, self.rows_in_memory // (2 * TURNS * self.side_by_side)))

    def block(self, batch_size: int) -> int:
        """Return the rows of a block: as many whole mini-batches as two blocks beside a chunk have room for.

        Raises
        ------
        ValueError
            There is no room for two mini-batches.
        """
        rows = (self.rows_in_memory - self.chunk) // 2 // batch_size * batch_size
        if not rows:
            raise ValueError(
                f"rows_in_memory must be at least {3 * batch_size}, three mini-batches of {batch_size} rows, got "
                f"{self.rows_in_memory}"
            )
        return rows


class StreamedRows:
    """Some rows of a stream, as one network takes them.

    Parameters
    ----------
    pieces : sequence of Piece
        Of the stream.
    filler : Filler
        For the network.
    share : Share
        Which rows.
    room : Room
        For them.
    blocks : list of Block
        The memory, which several shares may use one after the other; empty until it is needed.

    Attributes
    ----------
    n : int
        How many rows.
    pieces, filler, share, room : as above
        What they were made of.
    """

    def __init__(self, pieces: Sequence[Piece], filler: Filler, share: Share, room: Room, blocks: list[Block]) -> None:
        self.pieces, self.filler, self.share, self.room, self.blocks = pieces, filler, share, room, blocks
        self.n = share.count(sum(piece.rows for piece in pieces))

    def described(self) -> dict[str, Any]:
        """Return files, columns and how they are read, as plain values: what the order of the rows depends on."""
        files = dict.fromkeys(piece.file for piece in self.pieces)
        return {
            "rows": self.n,
            "files": [[file.path.name, *(stamp.size for stamp in file.stamps), *(file.rows or [])] for file in files],
            "columns": [[column.name, column.kind, column.width] for column in self.filler.columns],
            "room": list(self.room),
        } | ({"sample_weight": [column.name for column in weights]} if (weights := self.filler.targets.weights) else {})

    def refuse_no_weight(self, weight: float) -> None:
        """Raise StreamError where the weights of the rows sum to 0."""
        if not weight:
            raise StreamError(
                f"sample_weight: got 0 for each of {self.n} rows, expected a weight above 0 in one of them"
            )

    def _memory(self, batch_size: int) -> list[Block]:
        if not self.blocks:
            rows = min(self.room.block(batch_size), -(-self.n // batch_size) * batch_size)
            self.blocks[:] = [self.filler.block(rows) for _ in range(2)]
        return self.blocks

    def _read(self, pieces: Sequence[Piece], size: int, side_by_side: int) -> Iterator[Read]:
        return read_in_order(pieces, self.filler.names, size, side_by_side)

    def sample(self, batch_size: int) -> Block:
        """Return a block that is full of copies of the first rows, for who wants to see what the data are like.

        Parameters
        ----------
        batch_size : int
            Rows of a mini-batch.

        Raises
        ------
        StreamError
            These rows cannot be read.
        """
        block = self._memory(batch_size)[0]
        block.rows = 0
        for read in self._read(self.pieces, self.room.chunk, 1):
            places = self.share.places(read)
            if places is None or len(places):
                self.filler.write(read, places, 0, block)
                break
        block.repeat()
        return block

    def shuffled(self, rng: np.random.Generator) -> Reader:
        """Return what reads the rows in a random order, whose blocks need to be shuffled yet.

        The order of the pieces is drawn here; `side_by_side` of them are read in turns, a chunk of each.

        Parameters
        ----------
        rng : numpy.random.Generator
            Draws one permutation of the pieces.
        """
        pieces = [self.pieces[i] for i in rng.permutation(len(self.pieces))]
        return self._reader(functools.partial(self._read, pieces, self.room.turn, self.room.side_by_side))

    def in_order(self) -> Reader:
        """Return what reads the rows in the order of the files."""
        return self._reader(functools.partial(self._read, self.pieces, self.room.chunk, 1))

    def _reader(self, reading: "functools.partial[Iterator[Read]]") -> Reader:
        return Reader(reading, self.filler, self.share, self._memory(1))
