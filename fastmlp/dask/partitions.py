"""The collections that a fit is given: what they must be, and their partitions."""

from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from dask.base import is_dask_collection


@dataclass(frozen=True)
class Partitions:
    """Samples with their targets, partition by partition.

    Attributes
    ----------
    collections : list
        X, y and, where there are any, the weights of the rows.
    parts : list of tuple
        For each partition the ``Delayed`` of each collection.
    """

    collections: list[Any]
    parts: list[tuple[Any, ...]]

    @property
    def x(self) -> Any:
        """The samples."""
        return self.collections[0]


def is_frame(collection: Any) -> bool:
    """Whether it is a dask dataframe or series."""
    return is_dask_collection(collection) and hasattr(collection, "npartitions") and hasattr(collection, "divisions")


def _is_array(collection: Any) -> bool:
    return isinstance(collection, da.Array)


def _check_kind(name: str, collection: Any) -> None:
    if not (_is_array(collection) or is_frame(collection)):
        raise TypeError(
            f"{name} must be a dask array or dataframe, got {type(collection).__name__}; dask.array.from_array makes "
            "one of an array, and fastmlp.sklearn trains on arrays in memory"
        )


def _check_columns(name: str, collection: Any) -> None:
    """Raise where an array is cut between columns, or where anything but numbers stands in them."""
    if _is_array(collection):
        if collection.ndim == 2 and collection.numblocks[1] != 1:
            raise ValueError(
                f"{name} must have all columns in one chunk, got chunks of {collection.chunks[1]} columns: pass "
                f"{name}.rechunk({{1: -1}})"
            )
        dtypes = {"": collection.dtype}
    else:
        dtypes = dict(collection.dtypes) if collection.ndim == 2 else {collection.name: collection.dtype}
    if name.startswith("X"):
        for column, dtype in dtypes.items():
            if getattr(dtype, "kind", "O") not in "biuf":
                where = f" in column {column!r}" if column else ""
                raise TypeError(f"{name} must hold integers or floats, got dtype {dtype}{where}")


def n_columns(collection: Any) -> int:
    """Return the number of columns of a collection of two dimensions."""
    return len(collection.columns) if is_frame(collection) else int(collection.shape[1])


def check_features(name: str, X: Any) -> None:
    """Raise unless `X` is a collection of samples that can be taken partition by partition.

    Raises
    ------
    TypeError
        It is no dask collection, or holds other things than numbers.
    ValueError
        It is not two-dimensional, or cut between its columns.
    """
    _check_kind(name, X)
    if X.ndim != 2:
        raise ValueError(f"{name} must be 2-D, row = sample, got {X.ndim} dimension{'s' * (X.ndim != 1)}")
    _check_columns(name, X)


def _check_beside(name: str, collection: Any, X: Any, x_name: str) -> None:
    """Raise unless a collection has the partitions of X."""
    _check_kind(name, collection)
    if collection.ndim not in (1, 2):
        raise ValueError(f"{name} must be 1-D or 2-D, got {collection.ndim} dimensions")
    _check_columns(name, collection)
    count, wanted = _count(collection), _count(X)
    if count != wanted:
        raise ValueError(f"{name} must have the partitions of {x_name}, which are {wanted}, got {count}")
    if _is_array(collection) and _is_array(X):
        rows, wanted_rows = collection.chunks[0], X.chunks[0]
        if not np.isnan([*rows, *wanted_rows]).any() and rows != wanted_rows:
            first = next(i for i, pair in enumerate(zip(rows, wanted_rows, strict=True)) if pair[0] != pair[1])
            raise ValueError(
                f"{name} must have the chunks of {x_name}, got {rows[first]} rows in partition {first} beside "
                f"{wanted_rows[first]}: pass {name}.rechunk({{0: {x_name}.chunks[0]}})"
            )


def _count(collection: Any) -> int:
    return int(collection.npartitions) if is_frame(collection) else int(collection.numblocks[0])


def delayed_parts(collection: Any) -> list[Any]:
    """Return a ``Delayed`` for each partition of rows."""
    parts = collection.to_delayed()
    return list(parts) if is_frame(collection) else list(np.ravel(parts))


def checked(X: Any, y: Any, sample_weight: Any, suffix: str = "") -> Partitions:
    """Return the partitions of the data of a fit.

    Parameters
    ----------
    X, y, sample_weight
        Dask arrays or dataframes of the same partitions; the last may be None.
    suffix : str
        Behind the names in errors, such as ``"_val"``.

    Raises
    ------
    TypeError
        One is no dask collection, or X holds other things than numbers.
    ValueError
        Dimensions, columns or partitions do not fit.
    """
    name = f"X{suffix}"
    check_features(name, X)
    _check_beside(f"y{suffix}", y, X, name)
    collections = [X, y]
    if sample_weight is not None:
        _check_beside(f"sample_weight{suffix}", sample_weight, X, name)
        if sample_weight.ndim != 1:
            raise ValueError(f"sample_weight{suffix} must be 1-D, got {sample_weight.ndim} dimensions")
        collections.append(sample_weight)
    return Partitions(collections, list(zip(*map(delayed_parts, collections), strict=True)))
