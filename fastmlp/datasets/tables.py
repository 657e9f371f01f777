"""CSV and Parquet: one column is the target, all others are features."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastmlp.datasets.streams import opened
from fastmlp.system import extras


def read_csv(
    path: Path, target: str | None, features: Sequence[str] | None = None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Read features and labels from a CSV file (UTF-8, commas, names in the first line), also ``.gz`` or ``.xz``."""
    pandas = extras.require("pandas", extra="tables")
    try:
        with opened(path) as stream:
            _check_header(stream.readline().decode("utf-8-sig"), path)
        with opened(path) as stream:
            frame = pandas.read_csv(stream, low_memory=False)
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: expected a CSV file in UTF-8 ({str(error).strip()})") from error
    if not isinstance(frame.index, pandas.RangeIndex):  # pandas has used the first column as an index
        raise ValueError(f"{path}: the rows hold more values than the first line names columns ({frame.shape[1]})")
    return _split(frame, path, target, features)


def read_parquet(
    path: Path, target: str | None, features: Sequence[str] | None = None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Read features and labels from a Parquet file."""
    pandas = extras.require("pandas", extra="tables")
    extras.require("pyarrow", extra="tables")
    with opened(path) as stream:
        content = io.BytesIO(stream.read())
    try:
        frame = pandas.read_parquet(content, engine="pyarrow")
    except Exception as error:  # pandas raises errors of many types for damaged descriptions of columns
        raise ValueError(f"{path}: truncated or damaged, expected a Parquet file ({error})") from error
    return _split(frame, path, target, features)


def _check_header(line: str, path: Path) -> None:
    """Raise if a column has no name or two columns have the same name.

    pandas would rename the second column. A second target column would then be a feature that holds the labels.
    """
    names = next(csv.reader([line]), [])
    if not all(names):
        raise ValueError(
            f"{path}: column {names.index('')} has no name, expected one for each "
            "(was a row index saved with the table?)"
        )
    _refuse_doubled(names, path)


def _refuse_doubled(names: list[str], path: Path) -> None:
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise ValueError(f"{path}: several columns are named {doubled[0]!r}, expected different names")


def _split(
    frame: Any, path: Path, target: str | None, features: Sequence[str] | None = None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    columns = [str(name) for name in frame.columns]
    _refuse_doubled(columns, path)
    if features is None:
        features = [name for name in columns if name != target]
    for argument, names in (("target", [] if target is None else [target]), ("features", features)):
        for name in names:
            if name not in columns:
                raise ValueError(
                    f"{argument}: no column {name!r} in {path}, expected one of {', '.join(map(repr, columns))}"
                )
    if len(frame) == 0:
        raise ValueError(f"{path}: the table is empty, it has columns but no rows")
    frame.columns = columns
    for name in features if target is None else [*features, target]:
        missing = np.flatnonzero(frame[name].isna().to_numpy())
        if missing.size:
            raise ValueError(
                f"{path}: column {name!r} has no value in row {missing[0]} (counted from 0; {missing.size} such rows), "
                "expected one in every row"
            )
    labels = None if target is None else _values(frame[target])
    return _features(frame[list(features)], path), labels


def _features(frame: Any, path: Path) -> npt.NDArray[Any]:
    if frame.shape[1] == 0:
        raise ValueError(f"{path}: no column is left beside the target, expected at least one feature")
    columns = {name: _values(frame[name]) for name in frame.columns}
    for name, values in columns.items():
        if values.dtype.kind not in "iufb":
            raise ValueError(
                f"{path}: column {name!r} holds {frame[name].dtype} (first: {values[0]!r}), expected numbers in every "
                f"feature; if it is the label, name it: target={name!r}"
            )
    X = np.empty(frame.shape, np.result_type(*(values.dtype for values in columns.values())))
    for i, values in enumerate(columns.values()):
        X[:, i] = values
    return X


def _values(column: Any) -> npt.NDArray[Any]:
    """Return the values of a column without missing values. pandas' nullable types become NumPy's types."""
    dtype = column.dtype
    return np.asarray(column.to_numpy(dtype=getattr(dtype, "numpy_dtype", None)))
