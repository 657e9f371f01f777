"""Rows that are their own numbers, as a stream reads them."""

import numpy as np

from fastmlp.streaming.columns import NUMBER, Column
from fastmlp.streaming.filling import Filler, Targets
from fastmlp.streaming.order import Piece, Read


class NoFile:
    """What an error would name."""

    def where(self, part):
        return f"part {part}"


def numbered(sizes, *, block, fail_at=None):
    """What starts reading chunks of these sizes, a filler for them, and two blocks of so many rows."""

    def reading():
        first = 0
        for part, size in enumerate(sizes):
            if part == fail_at:
                raise OSError("broke")
            yield Read({"a": np.arange(first, first + size)}, Piece(NoFile(), part, first, size), first, size)
            first += size

    filler = Filler([Column("a", NUMBER, np.dtype("i8"))], Targets(), np.dtype("f4"))
    return reading, filler, [filler.block(block) for _ in range(2)]
