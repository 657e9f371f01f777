"""A chunk of a stream as one network takes it: columns side by side in one array, targets in another."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastmlp.inputs import samples
from fastmlp.inputs.encoded import EncodedRows, Gathered
from fastmlp.streaming.classes import Classes
from fastmlp.streaming.columns import CATEGORY, NUMBER, Column, values_of
from fastmlp.streaming.files import Chunk, TableChunk, errors_named
from fastmlp.streaming.order import Read

# data of these types stay as they are where the network's is larger: `fastmlp.kernels.gather` converts them
SMALL = tuple(map(np.dtype, ("u1", "i1", "u2", "i2", "u4", "i4", "f4")))


class Scaling(NamedTuple):
    """What is subtracted from each column of numbers, and what the difference is divided by; 0 makes it 0."""

    mean: np.ndarray
    deviation: np.ndarray


class Targets(NamedTuple):
    """What the network shall answer.

    Attributes
    ----------
    columns : sequence of Column
        Of the targets; empty where nobody asks for targets.
    classes : Classes or None
        For class indices.
    kernel : str
        Of the loss.
    n_outputs : int
        Of the network.
    factors : numpy.ndarray or None
        The weight of a row of each class.
    weights : sequence of Column
        At most one, of the weights of the rows.
    """

    columns: Sequence[Column] = ()
    classes: Classes | None = None
    kernel: str = "squared"
    n_outputs: int = 1
    factors: np.ndarray | None = None
    weights: Sequence[Column] = ()

    @property
    def weighted(self) -> bool:
        """Whether rows have weights."""
        return self.factors is not None or bool(self.weights)


class Block:
    """Rows of a stream in memory, filled again and again.

    Parameters
    ----------
    rows, columns : int
        Room for values.
    dtype : numpy.dtype
        Of the values.
    target_shape : tuple of int
        Of the targets of a row: ``()`` or ``(n_outputs,)``.
    target_dtype : numpy.dtype
        Of the targets.
    weighted : bool
        Whether rows have weights.

    Attributes
    ----------
    rows : int
        How many are filled.
    """

    def __init__(self, rows: int, columns: int, dtype: np.dtype, target_shape: tuple[int, ...],
                 target_dtype: np.dtype, *, weighted: bool) -> None:  # fmt: skip
        self.values, self.targets = np.empty((rows, columns), dtype), np.zeros((rows, *target_shape), target_dtype)
        self.weights = np.ones(rows) if weighted else None
        self.rows = 0

    def repeat(self) -> None:
        """Fill the rest with copies of the rows that are there."""
        first, self.rows = self.rows, len(self.values)
        arrays = [array for array in (self.values, self.targets, self.weights) if array is not None]
        for array in arrays:
            for start in range(first, self.rows, first):
                array[start : start + first] = array[: min(first, self.rows - start)]


class Filler:
    """Writes chunks into blocks.

    Parameters
    ----------
    columns : sequence of Column
        Of the data, in the order of the network's inputs; those of categories know them.
    targets : Targets
        What the network shall answer.
    dtype : numpy.dtype
        Of the network.
    scaling : Scaling, optional
        Of the columns of numbers.
    named : bool
        Whether the columns have names of their own.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        targets: Targets,
        dtype: np.dtype,
        scaling: Scaling | None = None,
        *,
        named: bool = True,
    ) -> None:
        self.columns, self.targets, self.dtype, self.scaling = columns, targets, dtype, scaling
        self.feature_names = [name for column in columns for name in column.inputs] if named else None
        self.categories = [
            len(column.categories) if column.kind == CATEGORY else 0 for column in columns for _ in range(column.width)
        ]
        self.encoded = any(self.categories)
        self.n_inputs = sum(max(1, categories) for categories in self.categories)
        self.names = list(dict.fromkeys(column.name for column in (*columns, *targets.columns, *targets.weights)))
        kinds = [np.dtype(np.uint8) if column.dtype.kind == "b" else column.dtype for column in columns]
        found = np.result_type(*kinds)
        small = found.itemsize < dtype.itemsize and found in SMALL
        # Columns that Arrow puts side by side in one go: 100 of them, 256 rows at a time, take 0.16 µs a row, not 1.1.
        self.alike = len(set(columns)) == len(columns) > 1 and scaling is None and found.kind != "b"
        self.alike = self.alike and all(column.kind == NUMBER and column.dtype == found for column in columns)
        self.values_dtype = found if small and not self.encoded and scaling is None else dtype

    def block(self, rows: int) -> Block:
        """Return a block with room for so many rows."""
        classes = self.targets.classes is not None
        shape = () if classes or not self.targets.columns else (self.targets.n_outputs,)
        kind = np.dtype(np.int64) if classes else self.dtype
        return Block(rows, len(self.categories), self.values_dtype, shape, kind, weighted=self.targets.weighted)

    def matrix(self, block: Block) -> Gathered:
        """Return the values of a block as the engine takes them."""
        if self.encoded:
            return EncodedRows(block.values[: block.rows], self.categories)
        return block.values[: block.rows]

    def write(self, read: Read, places: Any, start: int, block: Block) -> int:
        """Write rows that were read behind those of a block.

        Parameters
        ----------
        read : Read
            The rows.
        places : numpy.ndarray or None
            Which of them; None for all.
        start : int
            How many of these are left out, since an earlier block has them.
        block : Block
            Takes as many as it has room for.

        Returns
        -------
        int
            How many were written.

        Raises
        ------
        StreamError
            A value is missing, not finite, or of no known category or class.
        """
        count = min((read.rows if places is None else len(places)) - start, len(block.values) - block.rows)
        chosen = slice(start, start + count) if places is None else places[start : start + count]
        here = slice(block.rows, block.rows + count)
        where = read.piece.where
        with errors_named(where):
            self._write_values(read, chosen, block.values[here], where)
            if self.targets.columns:
                block.targets[here] = self._targets(read, chosen, count, where)
            if block.weights is not None:
                block.weights[here] = self._weights(read, chosen, block.targets[here], where)
        block.rows += count
        return count

    def _write_values(self, read: Read, chosen: Any, out: np.ndarray, where: str) -> None:
        with np.errstate(over="ignore", invalid="ignore"):  # what is too large for the dtype is found below
            whole = self._side_by_side(read.chunk)
            if whole is None:
                self._write_columns(read.chunk, chosen, out, where)
            else:
                out[:] = whole[chosen]
        samples.finite(f"{where}: the columns", out, self.dtype)

    def _side_by_side(self, chunk: Chunk) -> Any:
        """Return all columns as one array where Arrow can put them side by side, else None."""
        if self.alike and isinstance(chunk, TableChunk):
            return chunk.matrix([column.name for column in self.columns])
        return None

    def _write_columns(self, chunk: Chunk, chosen: Any, out: np.ndarray, where: str) -> None:
        place = 0
        for column in self.columns:
            values = values_of(chunk[column.name], column, where)[chosen]
            if self.scaling is not None and column.kind != CATEGORY:
                values = self._scaled(values, slice(place, place + column.width))
            if values.ndim == 1:
                out[:, place] = values
            else:
                out[:, place : place + column.width] = values
            place += column.width

    def _scaled(self, values: np.ndarray, columns: slice) -> np.ndarray:
        """Return values as differences from the mean in standard deviations."""
        assert self.scaling is not None
        mean, deviation = self.scaling.mean[columns], self.scaling.deviation[columns]
        found: np.ndarray = np.subtract(values.reshape(len(values), -1), mean, dtype=np.float64)
        np.divide(found, deviation, out=found, where=deviation > 0)
        found[:, deviation == 0] = 0
        return found

    def _targets(self, read: Read, chosen: Any, count: int, where: str) -> np.ndarray:
        wanted = self.targets
        if wanted.classes is not None:
            indices: np.ndarray = wanted.classes.indices(read.chunk[wanted.columns[0].name], where)[chosen]
            return indices
        values = [
            values_of(read.chunk[column.name], column, where)[chosen].reshape(count, -1) for column in wanted.columns
        ]
        joined = np.concatenate(values, axis=1)
        return samples.targets(f"{where}: the targets", joined, wanted.kernel, wanted.n_outputs, count, self.dtype)

    def _weights(self, read: Read, chosen: Any, classes: np.ndarray, where: str) -> np.ndarray:
        """Return the weights of rows, times those of their classes."""
        factors = self.targets.factors
        found = np.ones(len(classes)) if factors is None else factors[classes]
        for column in self.targets.weights:
            values = values_of(read.chunk[column.name], column, where)[chosen]
            wrong = ~(np.isfinite(values) & (values >= 0))
            if wrong.any():
                raise ValueError(
                    f"{where}: column {column.name!r} must hold finite weights of at least 0, got {values[wrong][0]}"
                )
            found = found * values
        return found
