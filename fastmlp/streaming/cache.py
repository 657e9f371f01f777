"""Decoded rows kept in ``.npy`` files: the first training decodes the files, all later reading copies bytes."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.streaming.arrays import ArrayFile
from fastmlp.streaming.filling import Filler
from fastmlp.streaming.order import Piece, Read, pieces_of, read_in_order
from fastmlp.system.files import replaced_whole

VERSION = 1  # of what the files hold


class CachedFiller(Filler):
    """Copies decoded rows into blocks as they are.

    Parameters
    ----------
    filler : Filler
        That decoded them.
    """

    def __init__(self, filler: Filler) -> None:
        vars(self).update(vars(filler))
        self.names = ["X", "y"]

    def _write_values(self, read: Read, chosen: Any, out: np.ndarray, where: str) -> None:
        out[:] = read.chunk["X"][chosen]

    def _targets(self, read: Read, chosen: Any, count: int, where: str) -> np.ndarray:
        found: np.ndarray = read.chunk["y"][chosen]
        return found


def cached(folder: Path, pieces: Sequence[Piece], filler: Filler, size: int) -> tuple[list[Piece], Filler]:
    """Return the rows as they are in the cache, which is written where they are not.

    Parameters
    ----------
    folder : pathlib.Path
        Of the cache; made if there is none.
    pieces : sequence of Piece
        Of a stream.
    filler : Filler
        Decodes them for a network, with targets.
    size : int
        Rows that are decoded at a time.

    Raises
    ------
    StreamError
        A file of the stream cannot be read; the cache is as it was.
    OSError
        The cache cannot be written.
    """
    for file in dict.fromkeys(piece.file for piece in pieces):
        file.check_unchanged()
    name = _digest(pieces, filler)
    data, targets = folder / f"{name}-X.npy", folder / f"{name}-y.npy"
    if not (data.exists() and targets.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        _write(data, targets, pieces, filler, size)
    file = ArrayFile(data, targets)
    return pieces_of([file], [file.rows or []]), CachedFiller(filler)


def _digest(pieces: Sequence[Piece], filler: Filler) -> str:
    """Return a name for what the cache would hold: files as they are now, columns, and what is made of them."""
    files = dict.fromkeys(piece.file for piece in pieces)
    wanted, scaling = filler.targets, filler.scaling
    facts = {
        "version": VERSION,
        "files": [[str(file.path.resolve()), *(list(stamp) for stamp in file.stamps)] for file in files],
        "columns": [[column.name, column.kind, column.width, column.categories] for column in filler.columns],
        "targets": [[column.name, column.kind, column.width] for column in wanted.columns],
        "classes": None if wanted.classes is None else list(map(str, wanted.classes.names)),
        "dtype": [filler.dtype.name, filler.values_dtype.name],
        "scaling": None if scaling is None else [scaling.mean.tolist(), scaling.deviation.tolist()],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]


def _write(data: Path, targets: Path, pieces: Sequence[Piece], filler: Filler, size: int) -> None:
    """Decode all rows into two files, each written whole or not at all."""
    block = filler.block(size)
    rows = sum(piece.rows for piece in pieces)
    with (
        replaced_whole(data) as first, replaced_whole(targets) as second,
        first.open("wb") as of_data, second.open("wb") as of_targets,
    ):  # fmt: skip
        for stream, array in ((of_data, block.values), (of_targets, block.targets)):
            header = {"descr": array.dtype.str, "fortran_order": False, "shape": (rows, *array.shape[1:])}
            np.lib.format.write_array_header_1_0(stream, header)
        for read in read_in_order(pieces, filler.names, size):
            block.rows = 0
            filler.write(read, None, 0, block)
            of_data.write(block.values[: block.rows].data)
            of_targets.write(block.targets[: block.rows].data)
