"""Data larger than memory, as the command line takes it."""

import argparse
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fastmlp.cli.recipes import PlainOption

if TYPE_CHECKING:
    from fastmlp.streaming.stream import Stream

ONLY_STREAMED = (".arrow", ".feather")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add how data are read block by block."""
    group = parser.add_argument_group("data larger than memory")
    add = functools.partial(group.add_argument, action=PlainOption)
    add(
        "--rows-in-memory",
        type=int,
        metavar="N",
        help="read the data block by block, at most so many rows at a time (default: 131072 for a folder, a glob in "
        "quotes such as 'folder/*.parquet', and for .arrow and .feather with the recipe plain; other files are read as "
        "a whole)",
    )
    add(
        "--summary",
        type=Path,
        metavar="FILE",
        help="keep what one pass over such data finds (classes, categories, means) in a JSON file",
    )
    add(
        "--cache",
        type=Path,
        metavar="FOLDER",
        help="keep the decoded rows in files there, which later epochs and runs read instead",
    )


def wanted(paths: list[str], rows_in_memory: int | None) -> bool:
    """Whether the data are to be read block by block."""
    from fastmlp.streaming.sources import is_glob, suffix_of

    if len(paths) != 1 or paths == ["mnist"]:
        return False
    path = Path(paths[0])
    return rows_in_memory is not None or is_glob(paths[0]) or path.is_dir() or suffix_of(path) in ONLY_STREAMED


def opened(args: argparse.Namespace, *, features: Sequence[str] | None = None) -> "Stream":
    """Return the stream of the data.

    Parameters
    ----------
    args : argparse.Namespace
        With data, target and the options above; perhaps with columns to ignore.
    features : sequence of str, optional
        The names of a network's inputs: only their columns are read.

    Raises
    ------
    ValueError, OSError, ImportError
        The files do not hold such columns.
    """
    from fastmlp import datasets
    from fastmlp.streaming.sources import files_of

    (source,), ignored = args.data, getattr(args, "ignore", [])
    rows = {} if args.rows_in_memory is None else {"rows_in_memory": args.rows_in_memory}
    columns = None
    if ignored or features is not None:
        known = list(files_of(source, None)[0].columns())
        unknown = [name for name in ignored if name not in known]
        if unknown:
            raise ValueError(f"--ignore: expected columns of {source}, got {unknown[0]!r}")
        columns = [name for name in known if name not in ignored and name != args.target]
        if features is not None:
            columns = [name for name in columns if _is_used(name, features)]
            if not columns:
                raise ValueError(f"DATA: {source} has none of the columns that the network was trained with")
    return datasets.stream(source, target=args.target, columns=columns, summary=args.summary, cache=args.cache, **rows)


def _is_used(column: str, features: Sequence[str]) -> bool:
    """Whether inputs of a network come from a column."""
    return any(name == column or name.startswith((f"{column}=", f"{column}[")) for name in features)
