"""Frames of pandas, polars and pyarrow, and NumPy arrays, read into columns."""

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from fastmlp.streaming.columns import NUMBER, shown
from fastmlp.system import extras
from fastmlp.tables import objects
from fastmlp.tables.column import BOOLEAN, DATE, GAP, Known, Table, Values

MICROSECONDS = 1e6  # of a second
Reader: TypeAlias = Callable[[str, Any, Known | None], Values]  # of a column, its name, and what it was in training


def is_frame(X: Any) -> bool:
    """Whether `X` is a frame, with columns of their own dtypes, and not an array."""
    return hasattr(type(X), "columns")  # of the class, as the names of a lazy frame are not known yet


def read(X: Any, known: Sequence[Known | None] = ()) -> Table:
    """Return the columns of a frame or of an array ``(n, n_columns)``.

    Parameters
    ----------
    X : frame or numpy.ndarray
        A frame of pandas, polars, pyarrow or what else narwhals knows; an array of numbers, text or objects.
    known : sequence of Known or None
        What the columns were in training, in their order; None for one without inputs, which is not looked at. Empty in
        training.

    Raises
    ------
    TypeError
        A column holds what is neither numbers, booleans, text, categories nor dates.
    ValueError
        There are no rows or no columns, more or fewer than the known ones, two of one name, or an infinite number.
    ImportError
        `X` is a frame, and narwhals is not installed.
    """
    columns, of_column = _of_frame(X) if is_frame(X) else (list(X.T), _of_vector)
    if known and len(known) != len(columns):
        raise ValueError(f"X must have {len(known)} columns, as in training, got {len(columns)}")
    found = []
    for place, column in enumerate(columns):
        name, expected = str(getattr(column, "name", place)), known[place] if known else None
        if known and expected is None:
            found.append(Values(name, NUMBER, str(column.dtype), np.full(len(column), np.nan)))
            continue
        found.append(of_column(name, column, expected))
        _refuse_infinity(found[-1])
    return Table(found, len(columns[0]))


def _of_frame(X: Any) -> tuple[list[Any], Reader]:
    """Return the columns of a frame and what reads one of them."""
    refuse_doubled(X)
    nw = extras.require("narwhals", extra="sklearn")
    try:
        frame = nw.from_native(X, eager_only=True)
    except TypeError as error:
        expected = "expected a frame of pandas, polars or pyarrow in memory (a lazy one after collect()), or an array"
        raise TypeError(f"X is a {type(X).__name__}, {expected}") from error
    if 0 in frame.shape:
        raise ValueError(
            f"X must have rows and columns, got a frame of shape {frame.shape}: 0 sample(s) or 0 feature(s)"
        )
    return list(frame.iter_columns()), functools.partial(_of_series, nw)


def refuse_doubled(X: Any) -> None:
    """Raise ValueError if a frame in memory has two columns of one name."""
    if hasattr(X, "collect"):  # a lazy frame, whose names are not known yet
        return
    doubled = [name for name, times in Counter(getattr(X, "column_names", X.columns)).items() if times > 1]
    if doubled:
        raise ValueError(f"X has several columns of the name {shown(doubled)}, expected each name once")


def _of_series(nw: Any, name: str, series: Any, known: Known | None) -> Values:
    dtype, kind = str(series.dtype), series.dtype
    if kind.is_numeric():
        return Values(name, NUMBER, dtype, _float64(nw, series))
    if kind == nw.Boolean:
        numbers = _float64(nw, series)
        codes = np.where(np.isnan(numbers), GAP, numbers).astype(np.int64)
        return Values(name, BOOLEAN, dtype, codes, ("False", "True"))
    if kind == nw.Duration:
        return Values(name, NUMBER, dtype, _float64(nw, series.dt.total_microseconds()) / MICROSECONDS)
    if kind == nw.Date or kind == nw.Datetime or _zone(series):
        return _dates(nw, name, series, known)
    missing = np.asarray(series.is_null().to_numpy(), bool)
    values = series.to_list()
    if missing.all() or not (kind == nw.String or kind == nw.Categorical or kind == nw.Enum):
        return objects.values_of(name, dtype, values, missing, known)
    return objects.coded(name, dtype, values, missing)


def _float64(nw: Any, series: Any) -> np.ndarray:
    numbers: np.ndarray = np.array(series.cast(nw.Float64).to_numpy(), np.float64)
    return numbers


def _dates(nw: Any, name: str, series: Any, known: Known | None) -> Values:
    """Return dates by the clock of their time zone; in prediction by that of the training."""
    dtype, zone = str(series.dtype), _zone(series)
    if series.dtype == nw.Date:
        series = series.cast(nw.Datetime("us"))
    if zone is not None:
        if series.dtype == nw.Unknown:
            series = nw.from_native(series.to_native().dt.tz_convert("UTC"), series_only=True)
        zone = (known.time_zone if known else None) or zone
        series = series.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return Values(name, DATE, dtype, _float64(nw, series.dt.timestamp("us")), time_zone=zone)


def _zone(series: Any) -> str | None:
    """Return the time zone of dates; narwhals 2.29 takes pandas' columns in "America/New_York" for unknown ones."""
    zone = getattr(series.dtype, "time_zone", None) or getattr(getattr(series.to_native(), "dtype", None), "tz", None)
    return None if zone is None else str(zone)


def _of_vector(name: str, column: np.ndarray, known: Known | None) -> Values:
    """Return a column of an array."""
    dtype, kind = str(column.dtype), column.dtype.kind
    if kind in "biuf":
        return Values(name, NUMBER, dtype, column.astype(np.float64))
    if kind == "U":
        return objects.coded(name, dtype, column.tolist(), np.zeros(len(column), bool))
    if kind == "M":
        numbers = column.astype("datetime64[us]").astype(np.int64).astype(np.float64)
        return Values(name, DATE, dtype, np.where(np.isnat(column), np.nan, numbers))
    if kind == "O":
        missing = np.fromiter(map(objects.is_missing, column), bool, len(column))
        return objects.values_of(name, dtype, list(column), missing, known)
    raise TypeError(f"X must hold numbers, text, dates or objects, got dtype {dtype}")


def _refuse_infinity(column: Values) -> None:
    if column.kind == NUMBER and np.isinf(column.values).any():
        rows = np.flatnonzero(np.isinf(column.values))
        raise ValueError(
            f"column {column.name!r} holds infinity in row {rows[0]} (counted from 0; {len(rows)} such rows), expected "
            "finite numbers, or none (NaN, None) where a value is missing"
        )
