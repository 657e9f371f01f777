"""What users hold of data larger than memory: a Stream, made by `fastmlp.datasets.stream`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastmlp.inputs.streamed import AnyStream, StreamError
from fastmlp.streaming.arrays import ArrayFile
from fastmlp.streaming.cache import cached
from fastmlp.streaming.classes import Classes
from fastmlp.streaming.columns import CATEGORY, LIST, NUMBER, Column, Columns
from fastmlp.streaming.files import File
from fastmlp.streaming.filling import Block, Filler, Scaling, Targets
from fastmlp.streaming.matching import matched
from fastmlp.streaming.order import Share, pieces_of
from fastmlp.streaming.rows import Room, StreamedRows
from fastmlp.streaming.summary import Summary, fingerprint, keep, kept, summarise


class Network(NamedTuple):
    """What a stream needs to know of a network.

    Attributes
    ----------
    n_inputs, n_outputs : int
        Its widths.
    dtype : numpy.dtype
        Of its parameters.
    kernel : str or None
        Of the loss; None where nobody asks for targets.
    feature_names, class_names : sequence of str or None
        Where it has some.
    """

    n_inputs: int
    n_outputs: int
    dtype: np.dtype
    kernel: str | None
    feature_names: Sequence[str] | None
    class_names: Sequence[str] | None


class Stream(AnyStream):
    """Rows in files that are read block by block; `fastmlp.datasets.stream` makes it.

    Parameters
    ----------
    files : sequence of File
        In the order of their rows.
    given : Columns
        What the columns are for.
    room : Room
        How many rows are in memory at a time.
    class_names : sequence, optional
        The labels in the order of their indices.
    summary : path-like, optional
        Where what one pass finds is kept.
    cache : path-like, optional
        Folder for decoded rows.

    Attributes
    ----------
    files, room : as above
        What it was made of.
    columns, targets, weights : sequence of Column
        Of the data, of the targets, and of the weights of the rows.
    scaled : bool
        Whether columns of numbers are standardised by their means and standard deviations.
    found : Summary or None
        What one pass over the files has found, where there was one.
    """

    def __init__(
        self,
        files: Sequence[File],
        given: Columns,
        room: Room,
        *,
        class_names: Sequence[Any] | None = None,
        summary: str | os.PathLike[str] | None = None,
        cache: str | os.PathLike[str] | None = None,
    ) -> None:
        self.files, self.room = files, room
        self.columns, self.targets, self.weights = given
        self._class_names, self._path, self.scaled = class_names, summary, False
        self.found: Summary | None = None
        self._cache = None if cache is None else Path(cache)

    def __len__(self) -> int:
        return sum(sum(rows) for rows in self._rows)

    def __repr__(self) -> str:
        parts = sum(len(file.rows or [0]) for file in self.files)
        target = ", ".join(repr(column.name) for column in self.targets) or "none"
        return (
            f"<Stream of {len(self.files)} files in {parts} parts, {len(self.columns)} columns, target {target}, "
            f"at most {self.room.rows_in_memory} rows in memory>"
        )

    @property
    def _rows(self) -> list[list[int]]:
        """Rows of each part of each file."""
        if all(file.rows is not None for file in self.files):
            return [file.rows or [] for file in self.files]
        return self.summary().rows

    @property
    def named(self) -> bool:
        """Whether the columns have names, as those of arrays have not."""
        return not isinstance(self.files[0], ArrayFile)

    @property
    def can_be_labels(self) -> bool:
        """Whether the targets are one column of whole numbers, booleans or strings."""
        return len(self.targets) == 1 and self.targets[0].kind != LIST and self.targets[0].dtype.kind in "biu"

    def summary(self, *, means: bool = False, labels: bool = False) -> Summary:
        """Return what one pass over the files finds; it is made when it is asked for.

        Parameters
        ----------
        means : bool
            Whether the means of the columns are wanted.
        labels : bool
            Whether the labels are wanted.

        Raises
        ------
        StreamError
            A file cannot be read, or a column has too many categories or classes.
        """
        found = self.found
        if found is not None and (found.moments or not means) and (found.classes is not None or not labels):
            return found
        means = means or self._path is not None or bool(found and found.moments)
        labels = labels or bool(found and found.classes) or (self._path is not None and self.can_be_labels)
        label = self.targets[0] if labels else None
        columns = [column for column in self.columns if means or column.kind == CATEGORY]
        mark = fingerprint(self.files, columns, label)
        found = None if self._path is None else kept(self._path, mark)
        if found is None:
            found = summarise(self.files, columns, label, self.room.chunk)
            if self._path is not None:
                keep(found, self._path, mark)
        self.take(found)
        return found

    def take(self, found: Summary) -> None:
        """Keep what one pass over the files, or over copies of them, has found."""
        for file, rows in zip(self.files, found.rows, strict=True):
            file.rows = rows
        self.found = found

    @property
    def class_names(self) -> list[Any]:
        """The labels in the order of their indices: those that were passed, else those that occur, sorted.

        Raises
        ------
        StreamError
            The targets are no labels.
        """
        if self._class_names is not None:
            return list(self._class_names)
        if len(self.targets) != 1:
            raise StreamError(f"target: expected one column of labels, got {len(self.targets)}")
        return list(self.summary(labels=True).classes or {})

    @property
    def class_counts(self) -> list[int]:
        """How many rows each of the classes has."""
        found = self.summary(labels=True).classes or {}
        return [found.get(name, 0) for name in self.class_names]

    def complete(self) -> list[Column]:
        """Return the columns of the data; those of categories know them."""
        if all(column.kind != CATEGORY for column in self.columns):
            return list(self.columns)
        known = self.summary().categories
        return [
            Column(column.name, CATEGORY, column.dtype, 1, tuple(known[column.name]))
            if column.kind == CATEGORY
            else column
            for column in self.columns
        ]

    @property
    def feature_names(self) -> list[str] | None:
        """Names of the inputs: of columns, ``column=category`` and ``column[i]``; None where files have none."""
        if not self.named:
            return None
        return [name for column in self.complete() for name in column.inputs]

    @property
    def n_inputs(self) -> int:
        """Inputs of a network for these columns."""
        return sum(len(column.categories) if column.kind == CATEGORY else column.width for column in self.complete())

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and inputs."""
        return len(self), self.n_inputs

    @property
    def dtype(self) -> np.dtype:
        """The smallest dtype that holds the numbers of all columns; of categories that of their codes."""
        kinds = [np.dtype(np.uint8) if column.dtype.kind == "b" else column.dtype for column in self.columns]
        return np.result_type(*kinds)

    def scaling(self, columns: Sequence[Column]) -> Scaling:
        """Return means and standard deviations of all rows, for each number of a row; of categories 0 and 1."""
        found = self.summary(means=True).moments
        mean, deviation = list[np.ndarray](), list[np.ndarray]()
        for column in columns:
            moments = found.get(column.name)
            mean.append(np.zeros(1) if moments is None else np.array(moments.mean))
            deviation.append(np.ones(1) if moments is None else moments.deviation())
        return Scaling(np.concatenate(mean), np.concatenate(deviation))

    def classes_for(self, network: Network) -> Classes:
        """Return the classes of a network: by the names that were passed, else by its own, else by those of the stream.

        Whole numbers that are all indices of the network's outputs stand for these, as they do in arrays.

        Raises
        ------
        ValueError
            The targets are no labels, or there are more classes than outputs.
        """
        if len(self.targets) != 1:
            raise ValueError(f"target: expected one column with the class of each row, got {len(self.targets)}")
        column = self.targets[0]
        names: list[Any]
        if self._class_names is None and network.class_names is not None:
            names = list(network.class_names)
        else:
            names = self.class_names
            numbers = self._class_names is None and column.kind == NUMBER and column.dtype.kind != "b"
            if numbers and all(0 <= name < network.n_outputs for name in names):
                names = list(range(network.n_outputs))
        if len(names) > network.n_outputs:
            raise ValueError(
                f"target: {column.name!r} has {len(names)} classes, expected at most {network.n_outputs}, the "
                "network's outputs"
            )
        return Classes(names, column)

    def rows_for(
        self, network: Network, share: Share = Share(), *, factors: np.ndarray | None = None,  # noqa: B008 - immutable
        blocks: list[Block] | None = None,
    ) -> StreamedRows:  # fmt: skip
        """Return some rows as a network takes them.

        Parameters
        ----------
        network : Network
            The columns are matched to the names of its features, where it has some.
        share : Share
            Which rows; default: all.
        factors : numpy.ndarray, optional
            The weight of a row of each class.
        blocks : list of Block, optional
            The memory, where it is shared with others.

        Raises
        ------
        ValueError
            The columns are not the network's inputs, or the targets not its outputs.
        """
        by_name = self.named and network.feature_names is not None
        columns = matched(self.columns, network.feature_names or ()) if by_name else self.complete()
        targets = Targets()
        if network.kernel is not None:
            classes = self.classes_for(network) if network.kernel == "cross_entropy" else None
            if not self.targets:
                raise ValueError("target: the stream has none, expected the column that the network shall predict")
            if any(column.kind == CATEGORY for column in self.targets) and classes is None:
                raise ValueError(f"target: {self.targets[0].name!r} holds categories, expected numbers for such a loss")
            targets = Targets(self.targets, classes, network.kernel, network.n_outputs, factors, self.weights)
        scaling = self.scaling(columns) if self.scaled else None
        filler = Filler(columns, targets, network.dtype, scaling, named=self.named)
        if filler.n_inputs != network.n_inputs:
            raise ValueError(
                f"the stream must have {network.n_inputs} inputs, those of the network, got {filler.n_inputs} from "
                f"{len(columns)} columns"
            )
        pieces = pieces_of(self.files, self._rows)
        if not pieces:
            raise StreamError(f"{self.files[0].path}: the stream has columns but no rows")
        if self._cache is not None and targets.columns:
            pieces, filler = cached(self._cache, pieces, filler, self.room.chunk)
        return StreamedRows(pieces, filler, share, self.room, [] if blocks is None else blocks)
