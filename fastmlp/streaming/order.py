"""The order in which an epoch reads: parts of files in random order, some side by side; and which rows are held out."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastmlp.streaming.files import Chunk, File, len_of

# A piece of no more turns is decoded as a whole: 8 groups of 8,000 rows by 100 columns of float32 then take 26 MB, and
# the readers of groups that are decoded turn by turn 81 MB, as Arrow keeps what it read of a group until its end.
WHOLE_TURNS = 8


class Piece(NamedTuple):
    """A part of a file.

    Attributes
    ----------
    file : File
        That holds it.
    part : int
        Its number in the file.
    first, rows : int
        The number of its first row in the stream, and how many it has.
    """

    file: File
    part: int
    first: int
    rows: int

    @property
    def where(self) -> str:
        """What an error calls it."""
        return self.file.where(self.part)


def pieces_of(files: Sequence[File], rows: Sequence[Sequence[int]]) -> list[Piece]:
    """Return the parts of all files that have rows; `rows` is their number, for each part of each file."""
    found, first = list[Piece](), 0
    for file, counts in zip(files, rows, strict=True):
        for part, count in enumerate(counts):
            if count:
                found.append(Piece(file, part, first, count))
            first += count
    return found


class Read(NamedTuple):
    """Rows that were read together.

    Attributes
    ----------
    chunk : mapping
        Their columns.
    piece : Piece
        From which they are.
    first : int
        The number of the first one in the stream.
    rows : int
        How many.
    """

    chunk: Chunk
    piece: Piece
    first: int
    rows: int


def read_in_order(pieces: Sequence[Piece], names: Sequence[str], size: int, side_by_side: int = 1) -> Iterator[Read]:
    """Read pieces in their order, at most `size` rows at a time, from so many pieces in turns."""
    waiting = iter(pieces)
    turns = side_by_side > 1
    opened = [_read(piece, names, size, turns=turns) for piece in itertools.islice(waiting, side_by_side)]
    while opened:
        for place, reading in reversed(list(enumerate(opened))):
            found = next(reading, None)
            while found is None:
                following = next(waiting, None)
                if following is None:
                    del opened[place]
                    break
                opened[place] = _read(following, names, size, turns=turns)
                found = next(opened[place], None)
            if found is not None:
                yield found


def _read(piece: Piece, names: Sequence[str], size: int, *, turns: bool) -> Iterator[Read]:
    first, whole = piece.first, turns and piece.rows <= WHOLE_TURNS * size
    for chunk in piece.file.read(piece.part, names, size, whole=whole):
        rows = len_of(chunk)
        if rows:
            yield Read(chunk, piece, first, rows)
        first += rows


class HeldOut:
    """Some rows of a stream, chosen one by one by a hash of their numbers.

    Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014): the finaliser of SplitMix64.

    Parameters
    ----------
    fraction : float
        Share of the rows, about.
    key : int
        64 bits; another key chooses other rows.
    """

    def __init__(self, fraction: float, key: int) -> None:
        self.limit, self.key = np.uint64(min(int(fraction * 2**64), 2**64 - 1)), np.uint64(key)

    def mask(self, first: int, count: int) -> np.ndarray:
        """Return for each of `count` rows from the one of number `first` on whether it is held out."""
        z = np.arange(first, first + count, dtype=np.uint64)
        with np.errstate(over="ignore"):
            z = (z + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + self.key
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        found: np.ndarray = (z ^ (z >> np.uint64(31))) < self.limit
        return found

    def count(self, rows: int, first: int = 0, at_once: int = 1 << 20) -> int:
        """Return how many of the `rows` rows from the one of number `first` on are held out."""
        end = first + rows
        return sum(int(self.mask(start, min(at_once, end - start)).sum()) for start in range(first, end, at_once))


class Share(NamedTuple):
    """Which rows of a stream are meant: all, those that are held out, or the others.

    Attributes
    ----------
    held_out : HeldOut or None
        None is all rows.
    inside : bool
        Whether those that are held out are meant.
    """

    held_out: HeldOut | None = None
    inside: bool = False

    def places(self, read: Read) -> Any:
        """Return the places of its rows among those of `read`; None for all."""
        if self.held_out is None:
            return None
        return np.flatnonzero(self.held_out.mask(read.first, read.rows) == self.inside)

    def count(self, rows: int, first: int = 0) -> int:
        """Return how many of the `rows` rows from the one of number `first` on it has."""
        if self.held_out is None:
            return rows
        inside = self.held_out.count(rows, first)
        return inside if self.inside else rows - inside
