"""Parquet files, Arrow files and CSV files as files of a stream."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any

from fastmlp.streaming.files import Chunk, File, TableChunk, decoded, fields_of, index_of, pieces_of
from fastmlp.system import extras

BUFFER_BYTES = 1 << 20  # that a CSV file is read in


class ParquetFile(File):
    """A Parquet file; its parts are its row groups."""

    def _open(self) -> None:
        self._parquet = extras.require("pyarrow.parquet", extra="tables")
        with self._parquet.ParquetFile(self.path) as file:
            self._metadata, schema = file.metadata, file.schema_arrow
        self._fields, self.index_names = fields_of(schema), index_of(schema)
        self._text = [name for name, field in self._fields.items() if str(field.type) in ("string", "large_string")]
        groups = range(self._metadata.num_row_groups)
        self.rows = [self._metadata.row_group(group).num_rows for group in groups]

    def columns(self) -> dict[str, Any]:
        """Return the fields by their names."""
        return self._fields

    def chunks(self, part: int, names: Sequence[str], size: int, *, whole: bool) -> Iterator[Chunk]:
        """Decode a row group; strings come as dictionaries."""
        return decoded(functools.partial(self._batches, part, list(names)), size, whole=whole)

    def _batches(self, part: int, names: list[str], size: int) -> Iterator[Any]:
        text = [name for name in names if name in self._text]
        options = {"metadata": self._metadata, "read_dictionary": text, "pre_buffer": False}
        with self._parquet.ParquetFile(self.path, **options) as file:
            yield from file.iter_batches(size, row_groups=[part], columns=names, use_threads=False)


class ArrowFile(File):
    """An Arrow file, which Feather files are; its parts are its record batches."""

    part_name = "record batch"

    def _open(self) -> None:
        self._pyarrow = extras.require("pyarrow", extra="tables")
        with self._reader() as reader:
            self._fields, self.index_names = fields_of(reader.schema), index_of(reader.schema)
            parts = reader.num_record_batches
        with self._reader([0]) as reader:  # one column tells the rows
            self.rows = [reader.get_batch(part).num_rows for part in range(parts)]

    def _reader(self, fields: list[int] | None = None) -> Any:
        options = self._pyarrow.ipc.IpcReadOptions(included_fields=fields or [], use_threads=False)
        return self._pyarrow.ipc.open_file(self._pyarrow.OSFile(str(self.path)), options=options)

    def columns(self) -> dict[str, Any]:
        """Return the fields by their names."""
        return self._fields

    def chunks(self, part: int, names: Sequence[str], size: int, *, whole: bool) -> Iterator[Chunk]:
        """Read a record batch as a whole, and give it in pieces."""
        places = list(self._fields)
        with self._reader(sorted(places.index(name) for name in names)) as reader:
            for piece in pieces_of(reader.get_batch(part), size):
                yield TableChunk(piece)


class CsvFile(File):
    """A CSV file with names in its first line, as Arrow reads it; it is one part.

    The types are those of its first rows; whole numbers become float64, as later rows may have fractions.
    """

    def _open(self) -> None:
        self._csv = extras.require("pyarrow.csv", extra="tables")
        self._pyarrow = extras.require("pyarrow", extra="tables")
        with self._reader(None) as reader:
            self._fields = fields_of(reader.schema)

    def _reader(self, names: Sequence[str] | None) -> Any:
        options: dict[str, Any] = {}
        if names is not None:
            options = {
                "include_columns": list(names),
                "column_types": {name: self._fields[name].type for name in names},
            }
        return self._csv.open_csv(
            str(self.path),
            read_options=self._csv.ReadOptions(block_size=BUFFER_BYTES, use_threads=False),
            convert_options=self._csv.ConvertOptions(strings_can_be_null=True, **options),
        )

    def where(self, part: int) -> str:
        """Return what an error calls the file."""
        return str(self.path)

    def columns(self) -> dict[str, Any]:
        """Return the fields by their names."""
        return self._fields

    def widen(self, names: Sequence[str]) -> None:
        """Read these columns as float64 where they began with whole numbers."""
        for name in names:
            if str(self._fields[name].type) == "int64":
                self._fields[name] = self._pyarrow.field(name, self._pyarrow.float64())

    def chunks(self, part: int, names: Sequence[str], size: int, *, whole: bool) -> Iterator[Chunk]:
        """Read the file from its beginning."""
        with self._reader(names) as reader:
            for batch in reader:
                for piece in pieces_of(batch, size):
                    yield TableChunk(piece)
