"""The files of a stream: parts that can be read on their own, and errors that name file and part."""

import collections
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fastmlp.inputs.streamed import StreamError
from fastmlp.streaming.columns import Column, column_of, shown
from fastmlp.system import extras

DECODED_ROWS = 4096  # of a row group at a time, at least: 100 columns take 20 µs a row by 256 rows, 8.5 by 2,048
Chunk = Mapping[str, Any]  # Arrow or NumPy arrays of equal length, by the names of their columns


@contextlib.contextmanager
def errors_named(where: str) -> Iterator[None]:
    """Raise what goes wrong inside the block as a StreamError that says where."""
    try:
        yield
    except (StreamError, MemoryError, ImportError):
        raise
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise StreamError(said if said.startswith(where) else f"{where}: {said}") from error


class Stamp(NamedTuple):
    """What tells that a file changed."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Return that of a file as it is now."""
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns)


class File(ABC):
    """A file whose parts can be read on their own.

    Parameters
    ----------
    path : pathlib.Path
        Of the file.

    Attributes
    ----------
    stamps : list of Stamp
        Of the file when the stream was made; none of what is no file of this machine.
    rows : list of int or None
        Of each part; None until somebody has read the file once.
    """

    part_name = "row group"
    index_names: Sequence[str] = ()  # columns that hold the index of a pandas frame, which nobody means by all columns

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[int] | None = None
        with errors_named(str(path)):
            self.stamps = self._stamps()
            if any(stamp.size == 0 for stamp in self.stamps):
                raise ValueError("the file is empty")
            self._open()

    def _stamps(self) -> list[Stamp]:
        return [Stamp.of(self.path)]

    @abstractmethod
    def _open(self) -> None:
        """Read what the file says of itself."""

    @abstractmethod
    def columns(self) -> dict[str, Any]:
        """Return the names of all columns, and what `column` makes a Column of."""

    @abstractmethod
    def chunks(self, part: int, names: Sequence[str], size: int, *, whole: bool) -> Iterator[Chunk]:
        """Read a part, at most `size` rows at a time; errors are whatever the library raises.

        Where it is decoded piece by piece, `whole` is whether all of it is decoded before the first piece is given.
        """

    def column(self, name: str) -> Column:
        """Return what a column holds; StreamError where the file has none of this name or no network takes it."""
        known = self.columns()
        if name not in known:
            raise StreamError(f"{self.path}: there is no column {name!r}, expected one of {shown(known)}")
        with errors_named(str(self.path)):
            return self._column(known[name])

    def _column(self, field: Any) -> Column:
        return column_of(field, str(self.path))

    def where(self, part: int) -> str:
        """Return what an error calls a part."""
        return f"{self.path}, {self.part_name} {part}"

    def check_unchanged(self) -> None:
        """Raise StreamError where the file is not what it was when the stream was made."""
        with errors_named(str(self.path)):
            now = self._stamps()
        if now != self.stamps:
            sizes = [f"{sum(stamp.size for stamp in stamps):,}" for stamps in (self.stamps, now)]
            raise StreamError(
                f"{self.path}: the file changed after the stream was made: it had {sizes[0]} bytes, now {sizes[1]} "
                "that were written at another time"
            )

    def read(self, part: int, names: Sequence[str], size: int, *, whole: bool = False) -> Iterator[Chunk]:
        """Read a part, at most `size` rows at a time; `whole` as for `chunks`.

        Raises
        ------
        StreamError
            The file changed, is damaged, or holds fewer or more rows than it said.
        """
        self.check_unchanged()
        found = 0
        with errors_named(self.where(part)):
            for chunk in self.chunks(part, names, size, whole=whole):
                found += len_of(chunk)
                yield chunk
            expected = found if self.rows is None else self.rows[part]
            if found != expected:
                raise StreamError(f"{self.where(part)}: ends after {found:,} rows, expected {expected:,}")


class TableChunk(Mapping[str, Any]):
    """The columns of a record batch of Arrow.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        That has them.
    """

    def __init__(self, batch: Any) -> None:
        self.batch = batch

    def __getitem__(self, name: str) -> Any:
        return self.batch.column(self.batch.schema.get_field_index(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self.batch.schema.names)

    def __len__(self) -> int:
        return int(self.batch.num_columns)

    def matrix(self, names: Sequence[str]) -> Any:
        """Return columns of one type of numbers side by side ``(rows, columns)``; None where a value is missing."""
        try:
            return self.batch.select(names).to_tensor(row_major=True).to_numpy()
        except extras.require("pyarrow", extra="tables").ArrowException:
            return None


def len_of(chunk: Chunk) -> int:
    """Return the rows of a chunk."""
    return chunk.batch.num_rows if isinstance(chunk, TableChunk) else len(next(iter(chunk.values()), ()))


def pieces_of(batch: Any, size: int) -> Iterator[Any]:
    """Cut a record batch into some of at most `size` rows, without a copy."""
    for start in range(0, batch.num_rows, size):
        yield batch.slice(start, size)


def decoded(read: Callable[[int], Iterator[Any]], size: int, *, whole: bool) -> Iterator[Chunk]:
    """Give record batches in pieces of at most `size` rows; `read` makes them, of so many rows each.

    All that is read before the first piece is given is decoded in larger batches, whose ends are ends of pieces.
    """
    if whole:
        batches = collections.deque(read(size * max(1, DECODED_ROWS // size)))
        while batches:
            yield from map(TableChunk, pieces_of(batches.popleft(), size))
    else:
        for batch in read(size):
            yield from map(TableChunk, pieces_of(batch, size))


def fields_of(schema: Any) -> dict[str, Any]:
    """Return the fields of a schema by their names.

    Raises
    ------
    ValueError
        Two have the same name.
    """
    fields = {field.name: field for field in schema}
    if len(fields) < len(schema):
        doubled = next(name for name in schema.names if schema.names.count(name) > 1)
        raise ValueError(f"several columns are named {doubled!r}, expected different names")
    return fields


def index_of(schema: Any) -> list[str]:
    """Return the names of the columns that hold the index of a pandas frame."""
    found = (schema.pandas_metadata or {}).get("index_columns", [])
    return [name for name in found if isinstance(name, str)]
