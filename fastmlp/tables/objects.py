"""Columns of Python objects: of which kind they are is seen from the values."""

import datetime
import decimal
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp.streaming.columns import CATEGORY, NUMBER
from fastmlp.system.warning import warn
from fastmlp.tables.column import BOOLEAN, DATE, GAP, WORDS, Known, Values

TRUTH = (bool, np.bool_)
NUMERIC = (numbers.Real, decimal.Decimal, *TRUTH)
SPAN = (datetime.time, datetime.timedelta)


def values_of(name: str, dtype: str, values: Sequence[Any], missing: np.ndarray, known: Known | None) -> Values:
    """Return a column of Python objects.

    Parameters
    ----------
    name, dtype : str
        For the column and for errors.
    values : sequence (n,)
        Whatever they are.
    missing : numpy.ndarray (n,)
        For each of them whether it stands for no value.
    known : Known or None
        What the column was in training. There, numbers beside text are text, with a warning; here they are what they
        were.

    Raises
    ------
    TypeError
        A value is of another type.
    """
    present = [value for value, gap in zip(values, missing.tolist(), strict=True) if not gap]
    kind = _kind(name, present, known)
    if kind == CATEGORY:
        return coded(name, dtype, values, missing)
    if kind == BOOLEAN:
        codes = np.full(len(missing), GAP)
        codes[~missing] = [bool(value) for value in present]
        return Values(name, BOOLEAN, dtype, codes, ("False", "True"))
    found = np.full(len(missing), np.nan)
    if kind == DATE:
        found[~missing] = np.array(present, "datetime64[us]").astype(np.int64)
    else:
        found[~missing] = [_number(value) for value in present]
    return Values(name, kind, dtype, found)


def coded(name: str, dtype: str, values: Sequence[Any], missing: np.ndarray) -> Values:
    """Return a column of text, or of what is taken as text."""
    gaps = missing.tolist()
    different = {value for value, gap in zip(values, gaps, strict=True) if not gap}
    texts = {value: text(value) for value in different}
    levels = tuple(sorted(set(texts.values())))
    place = {level: code for code, level in enumerate(levels)}
    code = {value: place[known] for value, known in texts.items()}
    codes = (GAP if gap else code[value] for value, gap in zip(values, gaps, strict=True))
    return Values(name, CATEGORY, dtype, np.fromiter(codes, np.int64, len(gaps)), levels)


def text(value: Any) -> str:
    """Return a level as text; 2.0 is "2", as gaps turn whole numbers into floats."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def is_missing(value: Any) -> bool:
    """Whether an object stands for no value: None, NaN, NaT or pandas' NA."""
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def _kind(name: str, present: list[Any], known: Known | None) -> str:
    types = tuple({type(value) for value in present})
    if not types:
        return known.kind if known else NUMBER
    if _all(types, str):
        return CATEGORY
    if _all(types, TRUTH) and not (known and known.kind == NUMBER):
        return BOOLEAN
    if _all(types, NUMERIC) and not (known and known.kind == CATEGORY):
        return NUMBER
    if _all(types, SPAN):
        return NUMBER
    if _all(types, datetime.date):  # datetime.datetime is one
        _refuse_zones(name, present)
        return DATE
    if not _all(types, (str, *NUMERIC)):
        _refuse(name, next(value for value in present if not isinstance(value, (str, *NUMERIC))))
    if known and known.kind != CATEGORY:
        _refuse(name, next(value for value in present if isinstance(value, str)), WORDS[known.kind])
    if not known:
        shown = sorted(kind.__name__ for kind in types)
        warn(f"column {name!r} mixes {' and '.join(shown)}: all its values are taken as text, as categories")
    return CATEGORY


def _all(types: tuple[type, ...], kinds: Any) -> bool:
    return all(issubclass(kind, kinds) for kind in types)


def _refuse(name: str, value: Any, expected: str = "") -> None:
    here = f", and here {expected}" if expected else ""
    raise TypeError(
        f"column {name!r}: an argument must be a string or a number{here}, got {value!r} ({type(value).__name__})"
    )


def _refuse_zones(name: str, present: list[Any]) -> None:
    for value in present:
        if getattr(value, "tzinfo", None) is not None:
            raise TypeError(
                f"column {name!r} holds Python objects with time zones (first: {value!r}), expected a column of one "
                "time zone, as pandas.to_datetime(..., utc=True) makes"
            )


def _number(value: Any) -> float:
    """Return a number; of times of a day and of spans the seconds."""
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, datetime.time):
        return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    return float(value)
