"""CSV and Parquet: one column is the target, all others are features."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastmlp.datasets import raw


def read_csv(
    path: Path, target: str | None, features: Sequence[str] | None = None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Read features and labels from a CSV file (UTF-8, commas, names in the first line), also ``.gz`` or ``.xz``."""
    return _split(raw.csv_frame(path), path, target, features)


def read_parquet(
    path: Path, target: str | None, features: Sequence[str] | None = None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Read features and labels from a Parquet file."""
    return _split(raw.binary_frame(path), path, target, features)


def _split(
    frame: Any, path: Path, target: str | None, features: Sequence[str] | None = None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    columns = [str(name) for name in frame.columns]
    raw.refuse_doubled(columns, path)
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
