"""Fragments of a `pyarrow.dataset.Dataset` as the files of a stream."""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fastmlp.streaming.files import Chunk, File, Stamp, decoded, fields_of, index_of
from fastmlp.system import extras


class Fragment(File):
    """A fragment of a dataset; its parts are the row groups of a Parquet file, else it is one part.

    Parameters
    ----------
    fragment : pyarrow.dataset.Fragment
        Of the dataset.
    schema : pyarrow.Schema
        Of the dataset: it names the columns that folders stand for, too.
    """

    def __init__(self, fragment: Any, schema: Any) -> None:
        self._whole, self._schema = fragment, schema
        super().__init__(Path(getattr(fragment, "path", None) or "a table in memory"))

    def _stamps(self) -> list[Stamp]:
        local = getattr(getattr(self._whole, "filesystem", None), "type_name", None) == "local"
        return [Stamp.of(self.path)] if local else []

    def _open(self) -> None:
        split = getattr(self._whole, "split_by_row_group", None)
        self._parts = [self._whole] if split is None else list(split())
        self._fields, self.index_names = fields_of(self._schema), index_of(self._schema)
        # count_rows of a part of a Parquet file gives the rows of the file
        groups = [getattr(part, "row_groups", None) for part in self._parts]
        self.rows = [
            part.count_rows() if some is None else sum(group.num_rows for group in some)
            for part, some in zip(self._parts, groups, strict=True)
        ]
        self._options = {"batch_readahead": 0, "fragment_readahead": 0, "use_threads": False}

    def columns(self) -> dict[str, Any]:
        """Return the fields by their names."""
        return self._fields

    def chunks(self, part: int, names: Sequence[str], size: int, *, whole: bool) -> Iterator[Chunk]:
        """Scan a part."""
        return decoded(functools.partial(self._batches, part, list(names)), size, whole=whole)

    def _batches(self, part: int, names: list[str], size: int) -> Iterator[Any]:
        yield from self._parts[part].to_batches(self._schema, columns=names, batch_size=size, **self._options)


def fragments_of(dataset: Any) -> list[Fragment]:
    """Return the fragments of a dataset.

    Raises
    ------
    TypeError
        It is no dataset of pyarrow.
    ValueError
        The dataset has a filter, which the number of rows in the files does not know.
    """
    kind = extras.require("pyarrow.dataset", extra="tables").Dataset
    if not isinstance(dataset, kind):
        expected = "a path, a glob, a list of paths, a pyarrow.dataset.Dataset or a NumPy array"
        raise TypeError(f"source must be {expected}, got {dataset!r} ({type(dataset).__name__})")
    if getattr(dataset, "_scan_options", None):
        raise ValueError(
            "source must be a dataset without a filter; write the rows that you want to files of their own"
        )
    return [Fragment(fragment, dataset.schema) for fragment in dataset.get_fragments()]
