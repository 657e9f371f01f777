"""The target of a table as an array: gaps are refused, dtypes of frames become NumPy's."""

from typing import Any

import numpy as np

from fastmlp.system import extras
from fastmlp.tables.objects import is_missing


def plain(y: Any) -> np.ndarray:
    """Return the target as an array of NumPy.

    Parameters
    ----------
    y : array-like (n,) or (n, n_outputs)
        An array, a list, or a column or frame of pandas or polars of any dtype.

    Raises
    ------
    ValueError
        A row has no value, or infinity.
    """
    if isinstance(y, np.ndarray) or not hasattr(y, "__len__") or isinstance(y, (list, tuple)):
        found = np.asarray(y)
    else:
        found = _of_native(y)
    if found.dtype.kind == "f":
        _refuse(np.isnan(found), "NaN", "leave those rows out")
        _refuse(np.isinf(found), "infinity", "finite numbers, or classes")
    elif found.dtype.kind == "O":
        missing = np.array([is_missing(value) for value in found.ravel()], bool)
        _refuse(missing.reshape(found.shape), "NaN", "leave those rows out")
    return found


def numbers(y: np.ndarray) -> np.ndarray:
    """Return a target of text or Python objects as float64, and one of numbers as it is.

    Raises
    ------
    ValueError
        It holds dates, durations, or something else that is not a number.
    """
    if y.dtype.kind in "mM":
        raise ValueError(f"y must hold numbers, got {y.dtype}: take the days or seconds since a date of your own")
    if y.dtype.kind not in "OSU":
        return y
    try:
        return y.astype(np.float64)
    except (TypeError, ValueError) as error:
        wrong = next(value for value in y.ravel().tolist() if not _is_number(value))
        raise ValueError(f"y must hold numbers, got {wrong!r} ({type(wrong).__name__})") from error


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _refuse(wrong: np.ndarray, what: str, instead: str) -> None:
    if wrong.any():
        rows = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1)) if wrong.ndim else np.zeros(1, int)
        raise ValueError(
            f"Input y contains {what} in row {rows[0]} (counted from 0; {len(rows)} such rows), expected a value in "
            f"every row: {instead}"
        )


def _of_native(y: Any) -> np.ndarray:
    nw = extras.require("narwhals", extra="sklearn")
    native = nw.from_native(y, eager_only=True, allow_series=True, pass_through=True)
    if isinstance(native, nw.Series):
        return _of_series(nw, native)
    if isinstance(native, nw.DataFrame):
        return np.column_stack([_of_series(nw, series) for series in native.iter_columns()])
    return np.asarray(y)


def _of_series(nw: Any, series: Any) -> np.ndarray:
    kind, gaps = series.dtype, bool(series.is_null().any())
    if kind.is_numeric() and (gaps or kind.is_decimal()):
        series = series.cast(nw.Float64)
    elif not kind.is_numeric() and (gaps or kind != nw.Boolean):
        values = series.to_list()
        return np.array(values, object if kind in (nw.String, nw.Object, nw.Enum) or gaps else None)
    return np.asarray(series.to_numpy())
