"""NumPy's files as the files of a stream, read by `seek`: a mapped file that is cut short would end the process."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.inputs.streamed import StreamError
from fastmlp.streaming.columns import Column, array_column
from fastmlp.streaming.files import Chunk, File, Stamp, errors_named

# Of a part: so much is read from one place. With parts of 256 KiB, 100 float32 columns take 0.19 µs a row, not 0.14.
PART_BYTES = 1 << 20
X, Y = "X", "y"  # names of the arrays where no file names them


class HeldArray:
    """An array that the caller holds, such as a ``numpy.memmap``.

    Parameters
    ----------
    array : numpy.ndarray
        Read some rows at a time.
    """

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.row_bytes = array.itemsize * (array.shape[1] if array.ndim == 2 else 1)

    def rows(self, first: int, count: int) -> np.ndarray:
        """Return some rows, a view."""
        return self.array[first : first + count]


class NpyArray:
    """An array in an ``.npy`` file, of which some rows are read at a time.

    Parameters
    ----------
    path : pathlib.Path
        Of the file.
    """

    def __init__(self, path: Path) -> None:
        from fastmlp.datasets.arrays import read_header  # few programs need it

        self.path = path
        with path.open("rb") as file:
            self.shape, fortran_order, self.dtype = read_header(file, str(path))
            self.start = file.tell()
        if fortran_order and len(self.shape) > 1:
            raise ValueError(f"got shape {self.shape} in Fortran order, expected C order, in which rows lie together")
        self.row_bytes = self.dtype.itemsize * (self.shape[1] if len(self.shape) == 2 else 1)
        held, claimed = path.stat().st_size - self.start, self.shape[0] * self.row_bytes
        if held < claimed:
            raise ValueError(
                f"the header claims {claimed:,} bytes of values (shape {self.shape}), the file holds {held:,}"
            )

    def rows(self, first: int, count: int) -> np.ndarray:
        """Return some rows, read from the file.

        Raises
        ------
        ValueError
            The file ends before.
        """
        with self.path.open("rb") as file:
            file.seek(self.start + first * self.row_bytes)
            content = file.read(count * self.row_bytes)
        if len(content) < count * self.row_bytes:
            raise ValueError(
                f"ends in row {first + len(content) // max(1, self.row_bytes)}, expected {self.shape[0]} rows"
            )
        found = np.frombuffer(content, self.dtype).reshape(count, *self.shape[1:])
        return found if self.dtype.isnative else found.astype(self.dtype.newbyteorder("="))


class ArrayFile(File):
    """An array and perhaps a second one with the targets; a part is some neighbouring rows.

    Parameters
    ----------
    data : pathlib.Path or numpy.ndarray (n, n_inputs)
        An ``.npy`` file, or an array that the caller holds.
    targets : pathlib.Path or numpy.ndarray, optional
        ``(n,)`` or ``(n, n_outputs)``.
    """

    def __init__(self, data: Path | np.ndarray, targets: Path | np.ndarray | None) -> None:
        self._given = {X: data} if targets is None else {X: data, Y: targets}
        self._paths = [given for given in self._given.values() if isinstance(given, Path)]
        super().__init__(data if isinstance(data, Path) else Path("an array"))

    def _stamps(self) -> list[Stamp]:
        return [Stamp.of(path) for path in self._paths]

    def _open(self) -> None:
        self._arrays = {name: _array(given) for name, given in self._given.items()}
        shape = self._arrays[X].shape
        if len(shape) != 2:
            raise StreamError(f"{self.path}: got features of shape {shape}, expected (n, n_inputs), one row per sample")
        if Y in self._arrays and self._arrays[Y].shape[0] != shape[0]:
            raise StreamError(f"targets: got {self._arrays[Y].shape[0]:,} rows for {shape[0]:,} rows of {self.path}")
        self.part_rows = max(1, PART_BYTES // max(1, self._arrays[X].row_bytes))
        self.rows = [min(self.part_rows, shape[0] - start) for start in range(0, shape[0], self.part_rows)]

    def columns(self) -> dict[str, Any]:
        """Return the arrays by their names."""
        return self._arrays

    def column(self, name: str) -> Column:
        """Return what an array holds."""
        array = self._arrays[name]
        return array_column(name, array.dtype, array.shape[1] if len(array.shape) == 2 else None)

    def where(self, part: int) -> str:
        """Return what an error calls a part."""
        first = part * self.part_rows
        return f"{self.path}, rows {first} to {first + (self.rows or [0])[part] - 1}"

    def chunks(self, part: int, names: Sequence[str], size: int, *, whole: bool) -> Iterator[Chunk]:
        """Read a part."""
        first, rows = part * self.part_rows, (self.rows or [0])[part]
        for start in range(0, rows, size):
            count = min(size, rows - start)
            yield {name: self._arrays[name].rows(first + start, count) for name in names}


def _array(given: Path | np.ndarray) -> HeldArray | NpyArray:
    """Return the array of a file or of the caller; StreamError where no network takes it."""
    where = str(given) if isinstance(given, Path) else "an array"
    with errors_named(where):
        found = NpyArray(given) if isinstance(given, Path) else HeldArray(np.asarray(given))
        if found.dtype.kind not in "biuf" or found.dtype.itemsize > 8:
            raise ValueError(f"got dtype {found.dtype}, expected numbers of at most 64 bits")
        if len(found.shape) not in (1, 2):
            raise ValueError(f"got shape {found.shape}, expected (n, n_inputs) or (n,)")
    return found
