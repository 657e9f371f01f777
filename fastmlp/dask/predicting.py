"""Predictions of collections, partition by partition, when somebody asks for them; and their scores."""

from typing import Any

import dask.array as da
import numpy as np
from dask.delayed import delayed

from fastmlp.dask.blocks import flat
from fastmlp.dask.local_sgd import squared_errors
from fastmlp.dask.partitions import Partitions, delayed_parts, is_frame
from fastmlp.dask.scores import Evaluation, Moments


def predicted(model: Any, method: str, X: Any, width: int | None, dtype: Any) -> da.Array:
    """Return what a method of a fitted estimator says of each row, lazily.

    Parameters
    ----------
    model : fastmlp.sklearn.MLPClassifier or MLPRegressor
        Fitted.
    method : str
        Such as ``"predict_proba"``.
    X : dask array or dataframe
        Of samples, checked.
    width : int or None
        Columns of the result; None: one number or class for each row.
    dtype : dtype
        Of the result.

    Returns
    -------
    dask.array.Array (n,) or (n, width)
        With a chunk for each partition of `X`; the lengths are unknown where those of `X` are.
    """
    parts = delayed_parts(X)
    lengths = len(parts) * [np.nan] if is_frame(X) else X.chunks[0]
    columns = () if width is None else (width,)
    once = delayed(model, pure=True, traverse=False)
    call = delayed(_rows, pure=True)
    chunks = [
        da.from_delayed(call(once, method, part, columns, dtype), shape=(rows, *columns), dtype=dtype)
        for part, rows in zip(parts, lengths, strict=True)
    ]
    return da.concatenate(chunks, allow_unknown_chunksizes=True)


def _rows(model: Any, method: str, part: Any, columns: tuple[int, ...], dtype: Any) -> np.ndarray:
    found = np.empty((0, *columns)) if not part.shape[0] else getattr(model, method)(part)
    return np.asarray(found, dtype)


def scored(model: Any, data: Partitions) -> list[Any]:
    """Return the ``Delayed`` sums of each partition: its `Evaluation`, and the `Moments` of its targets."""
    once = delayed(model, pure=True, traverse=False)
    call = delayed(_sums, pure=False)
    return [call(once, number, *part) for number, part in enumerate(data.parts)]


def _sums(model: Any, number: int, X: Any, y: Any, weights: Any = None) -> tuple[Evaluation, Moments] | None:
    if not X.shape[0]:
        return None
    own = None if weights is None else np.asarray(weights, np.float64)
    targets, found = flat(y), model.predict(X)
    if targets.shape != found.shape:
        raise ValueError(f"partition {number}: y must have the shape {found.shape}, got {targets.shape}")
    if hasattr(model, "classes_"):
        right = np.asarray(found == targets, np.float64)
        total = float(len(right) if own is None else own.sum())
        sums = Evaluation(total, 0.0, float(right.sum() if own is None else own @ right), None)
        return sums, Moments(total, np.zeros(1), np.zeros(1))
    columns, outputs = targets.reshape(len(targets), -1), found.reshape(len(found), -1)
    moments = Moments.of(columns, own)
    return Evaluation(moments.weight, 0.0, None, squared_errors(columns, outputs, own)), moments
