"""The files of the command line: read with the names of their columns, and matched to a saved network."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from fastmlp import datasets
from fastmlp.datasets import streams
from fastmlp.system import extras

if TYPE_CHECKING:
    from fastmlp import MLP
    from fastmlp.streaming.stream import Stream

# features, class indices, names of the classes; without labels the last two are None
Rows = tuple[np.ndarray, np.ndarray | None, list[str] | None]

DIGITS = [str(digit) for digit in range(10)]


@dataclass
class Table:
    """Rows to train on.

    Attributes
    ----------
    source : str
        The names of the files, for messages.
    X : numpy.ndarray (n, n_inputs) or Stream
        Features.
    y : numpy.ndarray (n,) or None
        Class indices; None beside a stream, which has them.
    class_names : list of str
        Names of the classes, in the order of their indices.
    feature_names : list of str or None
        Names of the columns, where the file has some.
    """

    source: str
    X: Any
    y: np.ndarray | None
    class_names: list[str]
    feature_names: list[str] | None


def read(paths: list[str], target: str | None, ignored: list[str]) -> Table:
    """Read the training data; `paths` are one or two files, or the word ``mnist``.

    Raises
    ------
    ValueError, OSError, ImportError
        The files do not hold features and labels.
    """
    source = " ".join(paths)
    if paths == ["mnist"]:
        _refuse_columns(source, target, ignored)
        return Table(source, *datasets.mnist()[:2], DIGITS, None)
    names = column_names(paths)
    if names is None:
        _refuse_columns(source, None, ignored)
    else:
        names = feature_names(names, target, ignored, source)
    X, y, class_names = _load(paths, target, names)
    if y is None or class_names is None:
        raise ValueError(f"DATA: expected labels too, in a second file or in the .npz file; got {source} alone")
    return Table(source, X, y, class_names, names)


def feature_names(names: list[str], target: str | None, ignored: list[str], source: str) -> list[str]:
    """Return the columns of a table that are neither the target nor ignored.

    Raises
    ------
    ValueError
        There is no target, no such column, or no column is left.
    """
    if target is None:
        raise ValueError(
            f"--target: expected the column of {source} with what is to be predicted, one of {listed(names)}; got none"
        )
    refuse_unknown("--target", [target], names, source)
    refuse_unknown("--ignore", ignored, [name for name in names if name != target], source)
    left = [name for name in names if name != target and name not in ignored]
    if not left:
        raise ValueError(f"{source}: no column is left to learn from; expected at least one beside {target!r}")
    return left


def from_stream(source: str, stream: "Stream") -> Table:
    """Return the rows of a stream to train on.

    Raises
    ------
    ValueError
        It has no column of classes.
    """
    if not stream.targets:
        raise ValueError(f"--target: expected the column of {source} with the classes, got none")
    return Table(source, stream, None, [str(name) for name in stream.class_names], stream.feature_names)


def read_for(net: "MLP", paths: list[str], target: str | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Read rows for a network: its columns in its order, and the true class indices if the file has labels.

    Raises
    ------
    ValueError, OSError, ImportError
        The files do not hold the columns or classes of the network.
    """
    source = " ".join(paths)
    if paths == ["mnist"]:
        _refuse_columns(source, target, [])
        rows: Rows = (*datasets.mnist()[2:], DIGITS)
    else:
        names = column_names(paths)
        if names is not None:
            if target is not None:
                refuse_unknown("--target", [target], names, source)
            wanted = net.feature_names or [name for name in names if name != target]
            refuse_missing(wanted, names, source)
            names = wanted
        rows = _load(paths, target, names)
    X, y, class_names = rows
    if X.shape[1] != net.n_inputs:
        raise ValueError(f"DATA: the network takes {net.n_inputs} columns, got {X.shape[1]} in {source}")
    return X, None if y is None or class_names is None else _indices_for(net, y, class_names, source)


def column_names(paths: list[str]) -> list[str] | None:
    """Return the names of all columns of a table; None if `paths` is not a table."""
    if len(paths) > 2:
        raise ValueError(f"DATA: expected one file, or two (inputs, then labels), got {len(paths)}")
    path = Path(paths[0])
    is_csv = path.name.lower().endswith((".csv", ".csv.gz", ".csv.xz"))
    if not is_csv and path.suffix.lower() != ".parquet":
        return None
    if len(paths) == 2:
        raise ValueError(
            f"DATA: expected one table, got {paths[0]} and {paths[1]}; --target names the column of labels"
        )
    if not path.is_file():
        raise FileNotFoundError(f"DATA: there is no file {path}")
    read = _csv_header if is_csv else _parquet_header
    with streams.opened(path) as stream:
        try:
            return [str(name) for name in read(stream)]
        except ValueError as error:  # errors of pandas and pyarrow do not name the file
            raise ValueError(f"DATA: {path} cannot be read as a table: {error}") from error


def _csv_header(stream: BinaryIO) -> Iterable[object]:
    found: Iterable[object] = extras.require("pandas", extra="tables").read_csv(stream, nrows=0).columns
    return found


def _parquet_header(stream: BinaryIO) -> Iterable[object]:
    schema = extras.require("pyarrow.parquet", extra="tables").read_schema(stream)
    found: Iterable[object] = schema.empty_table().to_pandas().columns  # without the columns that hold an index
    return found


def _load(paths: list[str], target: str | None, names: list[str] | None) -> Rows:
    """Return features, class indices and names of the classes. The features of a table are the columns `names`."""
    if len(paths) == 2 and target is not None:
        raise ValueError(f"--target: {paths[1]} holds the labels, got {target!r} too")
    second = paths[1] if len(paths) == 2 else target
    X, y, class_names = datasets.load(paths[0], target=second, features=names)
    return X, y, None if class_names is None else [str(name) for name in class_names]


def _indices_for(net: "MLP", y: np.ndarray, class_names: list[str], source: str) -> np.ndarray:
    """Return the classes of a file as class indices of the network. The network may have more classes."""
    known = net.class_names or [str(label) for label in range(net.n_classes)]
    unknown = [name for name in class_names if name not in known]
    if unknown:
        raise ValueError(f"DATA: {source} has the class {unknown[0]!r}, the network knows {listed(known)}")
    of_file: np.ndarray = np.array([known.index(name) for name in class_names])
    return np.take(of_file, y)


def _refuse_columns(source: str, target: str | None, ignored: list[str]) -> None:
    for option, value in (("--target", target), ("--ignore", ", ".join(ignored))):
        if value:
            raise ValueError(
                f"{option}: expected with a table only, got {value!r} for {source}, which names no columns"
            )


def refuse_unknown(option: str, wanted: list[str], names: list[str], source: str) -> None:
    """Raise unless the table has the columns that an option names."""
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise ValueError(f"{option}: no column {unknown[0]!r} in {source}, expected one of {listed(names)}")


def refuse_missing(wanted: list[str], names: list[str], source: str) -> None:
    """Raise unless the table has the columns that a model was trained with."""
    missing = [name for name in wanted if name not in names]
    if missing:
        raise ValueError(
            f"DATA: {source} lacks {listed(missing)}, which the network was trained with; it has {listed(names)}"
        )


def listed(names: list[str]) -> str:
    """Return the names in quotes, without the middle of a long list."""
    shown = [repr(name) for name in names]
    return ", ".join(shown if len(shown) <= 12 else [*shown[:9], "…", *shown[-2:]])
