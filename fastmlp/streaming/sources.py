"""Which files a stream reads: a file, a folder, a glob, a list, a dataset of pyarrow, or an array."""

import glob
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.inputs.streamed import StreamError
from fastmlp.streaming.arrays import ArrayFile, Y
from fastmlp.streaming.columns import CATEGORY, NUMBER, Column
from fastmlp.streaming.files import File
from fastmlp.streaming.formats import ArrowFile, CsvFile, ParquetFile
from fastmlp.streaming.fragments import fragments_of

TABLES: dict[str, Callable[[Path], File]] = {
    ".parquet": ParquetFile, ".arrow": ArrowFile, ".feather": ArrowFile, ".csv": CsvFile,
}  # fmt: skip
KNOWN = f"{', '.join(TABLES)} or .npy"


def files_of(source: Any, target: Any) -> list[File]:
    """Return the files of a source, in the order of their names; `target` is that of `fastmlp.datasets.stream`.

    Raises
    ------
    StreamError, OSError, TypeError
        There is no file, its format is unknown, formats are mixed, or a file cannot be opened.
    """
    if isinstance(source, np.ndarray):
        return [ArrayFile(source, None if target is None else _given("target", target))]
    if not isinstance(source, (str, os.PathLike, list, tuple)):
        return list(fragments_of(source))
    paths = _listed(source)
    suffixes = {suffix_of(path) for path in paths}
    if len(suffixes) > 1:
        raise StreamError(f"source: got files of several formats ({', '.join(sorted(suffixes))}), expected one")
    (suffix,) = suffixes
    if suffix in TABLES:
        return [TABLES[suffix](path) for path in paths]
    if suffix != ".npy":
        raise StreamError(f"source: unknown format of {paths[0]}, expected {KNOWN}")
    if len(paths) > 1:
        raise StreamError(f"source: got {len(paths)} .npy files, expected one, and one with the targets")
    return [ArrayFile(paths[0], None if target is None else _given("target", target))]


def _given(name: str, value: Any) -> Path | np.ndarray:
    """Return an array, or the path of one."""
    if isinstance(value, np.ndarray):
        return value
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name} must be an .npy file or an array beside such a source, got {value!r}")
    path = Path(value)
    if not path.is_file():
        raise FileNotFoundError(f"{name}: there is no file {path}")
    return path


def suffix_of(path: Path) -> str:
    """Return how the name of a file ends, but for a packed CSV file's ``.gz``."""
    return Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()


def is_glob(text: str) -> bool:
    """Whether a path stands for several by ``*``, ``?`` or ``[``, and is no file itself."""
    return glob.has_magic(text) and not Path(text).exists()


def _listed(source: Any) -> list[Path]:
    if isinstance(source, (list, tuple)):
        if not source:
            raise StreamError("source: got an empty list, expected at least one path")
        return [path for one in source for path in _listed(one)]
    text = os.fspath(source)
    if is_glob(text):
        paths = map(Path, glob.glob(text, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        found = sorted(path for path in paths if path.is_file())
        expected = "expected at least one file"
    elif Path(text).is_dir():
        inside = (path for path in Path(text).rglob("*") if suffix_of(path) in TABLES and path.is_file())
        found = sorted(path for path in inside if not path.name.startswith((".", "_")))
        expected = f"expected files that end in {', '.join(TABLES)}"
    else:
        if not Path(text).exists():
            raise FileNotFoundError(f"source: there is no file {text}")
        return [Path(text)]
    if not found:
        raise FileNotFoundError(f"source: nothing is found for {text}, {expected}")
    return found


def columns_of(files: Sequence[File], names: Sequence[str]) -> list[Column]:
    """Return what the columns of these names hold, which must be the same in all files.

    Raises
    ------
    StreamError
        A file has no such column, or another type.
    """
    for file in files:
        if isinstance(file, CsvFile):
            file.widen([name for name in names if name in file.columns()])
    found = [files[0].column(name) for name in names]
    for file in files[1:]:
        for column in found:
            other = file.column(column.name)
            if other != column:
                raise StreamError(
                    f"{file.path}: column {column.name!r} holds {_shown(other)}, expected {_shown(column)} as in "
                    f"{files[0].path}"
                )
    return found


def _shown(column: Column) -> str:
    if column.kind == CATEGORY:
        return "categories"
    return f"{column.dtype} {column.kind}s" + (f" of {column.width}" if column.width > 1 else "")


def default_columns(files: Sequence[File], others: Sequence[str]) -> list[str]:
    """Return the names of all columns but these others and the index of a pandas frame."""
    return [name for name in files[0].columns() if name not in others and name not in files[0].index_names]


def target_names(files: Sequence[File], target: Any) -> list[str]:
    """Return the names of the columns of targets.

    Raises
    ------
    TypeError, ValueError
        They are no names, or one twice.
    """
    if isinstance(files[0], ArrayFile):
        return [] if target is None else [Y]
    names = [] if target is None else [target] if isinstance(target, str) else target
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"target must be the name of a column or a list of names, got {target!r}")
    if len(set(names)) < len(names):
        raise ValueError(f"target: got {names!r}, expected different names")
    return list(names)


def weight_names(files: Sequence[File], sample_weight: Any, targets: Sequence[str], cache: Any) -> list[str]:
    """Return the name of the column of weights in a list, which is empty where there are none.

    Raises
    ------
    TypeError, ValueError
        It is no name, or that of a target or of a column without numbers; or source or cache has no place for weights.
    """
    if sample_weight is None:
        return []
    if not isinstance(sample_weight, str):
        raise TypeError(f"sample_weight must be the name of a column, got {sample_weight!r}")
    if isinstance(files[0], ArrayFile):
        raise ValueError("sample_weight: expected a table, whose columns have names, got an array or an .npy file")
    if cache is not None:
        raise ValueError("sample_weight: expected no cache beside it, which keeps data and targets alone")
    if sample_weight in targets:
        raise ValueError(f"sample_weight: got {sample_weight!r}, expected another column than the target")
    (column,) = columns_of(files[:1], [sample_weight])
    if column.kind != NUMBER:
        raise ValueError(f"sample_weight: {sample_weight!r} holds {_shown(column)}, expected a number in each row")
    return [sample_weight]
