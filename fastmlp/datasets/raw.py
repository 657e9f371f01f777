"""Tables as they are in a file, as frames of pandas: numbers, text, dates, truth values and gaps."""

import csv
import io
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from fastmlp.datasets.streams import PACKED, opened
from fastmlp.system import extras

# a date with four digits for the year first, perhaps with a time of day, perhaps with its distance to UTC
ZONE = r"(?:Z|[+-]\d\d:?\d\d)"
DATE = rf"\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?{ZONE}?)?"


def read_frame(path: Path, texts: Collection[str] = ()) -> Any:
    """Return the table of a CSV, Parquet, Feather or Arrow file.

    Parameters
    ----------
    path : pathlib.Path
        The name tells the format. CSV is in UTF-8, with commas and with names in the first line, also packed as ``.gz``
        or ``.xz``.
    texts : collection of str
        Columns of a CSV file that are text whatever they look like.

    Returns
    -------
    pandas.DataFrame
        Text columns of a CSV file whose values are all dates in the form of ISO 8601, such as 2024-03-01 or 2024-03-01
        12:30:00+01:00, are dates. If its first column has no name, it holds the index of the rows, as pandas and R
        write it, and is left out.

    Raises
    ------
    ValueError
        The format is unknown, the file is damaged, there are no rows, or two columns have the same name.
    OSError
        The file cannot be read.
    ImportError
        The extra ``tables`` is not installed.
    """
    if is_csv(path):
        frame = with_dates(csv_frame(path, dict.fromkeys(texts, str), index=True), texts)
    elif path.suffix.lower() in BINARY:
        frame = binary_frame(path)
    else:
        raise ValueError(f"{path}: unknown format of a table, expected .csv, {', '.join(BINARY)}")
    frame.columns = [str(name) for name in frame.columns]
    refuse_doubled(list(frame.columns), path)
    if is_csv(path) and len(frame.columns) == 1 and any(sign in frame.columns[0] for sign in ";\t"):
        raise ValueError(f"{path}: expected commas between the columns, got the first line {frame.columns[0]!r}")
    if len(frame) == 0:
        raise ValueError(f"{path}: the table is empty, it has columns but no rows")
    return frame


def is_csv(path: Path) -> bool:
    """Whether a file is CSV by its name."""
    return path.name.lower().endswith((".csv", *(f".csv{packed}" for packed in PACKED)))


def text_frame(path: Path) -> Any:
    """Return the cells of a CSV file as they stand there, without an index; gaps are empty texts."""
    return csv_frame(path, str, index=True, keep_default_na=False)


def csv_frame(path: Path, dtype: Any = None, *, index: bool = False, **options: Any) -> Any:
    """Return the frame of a CSV file; if `index`, its first column may be an index without a name, and is left out."""
    pandas = extras.require("pandas", extra="tables")
    try:
        with opened(path) as stream:
            names = next(csv.reader([stream.readline().decode("utf-8-sig")]), [])
        index = index and len(names) > 1 and not names[0]
        _check_names(names[1:] if index else names, path)
        with opened(path) as stream, warnings.catch_warnings():
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            frame = pandas.read_csv(stream, low_memory=False, index_col=False, dtype=dtype, **options)
    except pandas.errors.ParserWarning as error:
        raise ValueError(
            f"{path}: the rows hold more values than the first line names columns ({len(names)})"
        ) from error
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: expected a CSV file in UTF-8 ({str(error).strip()})") from error
    return frame.iloc[:, 1:] if index else frame


def binary_frame(path: Path) -> Any:
    """Return the frame of a Parquet, Feather or Arrow file."""
    pandas = extras.require("pandas", extra="tables")
    extras.require("pyarrow", extra="tables")
    name, read = BINARY[path.suffix.lower()]
    with opened(path) as stream:
        content = io.BytesIO(stream.read())
    try:
        return read(pandas, content)
    except Exception as error:  # pandas raises errors of many types for damaged descriptions of columns
        raise ValueError(f"{path}: truncated or damaged, expected {name} file ({error})") from error


def with_dates(frame: Any, texts: Collection[str] = ()) -> Any:
    """Return the frame with the text columns of dates as dates, but for the columns `texts`."""
    pandas = extras.require("pandas", extra="tables")
    dates = {}
    for name in frame.columns:
        if name not in texts and pandas.api.types.is_string_dtype(frame[name].dtype):
            found = _dates(pandas, frame[name])
            if found is not None:
                dates[name] = found
    return frame.assign(**dates)


def refuse_doubled(names: Sequence[str], path: Path) -> None:
    """Raise if two columns have the same name."""
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise ValueError(f"{path}: several columns are named {doubled[0]!r}, expected different names")


def _check_names(names: Sequence[str], path: Path) -> None:
    """Raise if a column has no name or two columns have the same name.

    pandas would rename the second column. A second target column would then be a feature that holds the labels.
    """
    if not all(names):
        raise ValueError(
            f"{path}: column {names.index('')} has no name, expected one for each "
            "(was a row index saved with the table?)"
        )
    refuse_doubled(names, path)


def _dates(pandas: Any, column: Any) -> Any:
    """Return a column of text as dates, or None if a value is something else."""
    present = column.dropna()
    if present.empty or not all(isinstance(value, str) for value in present.iloc[:1]):
        return None
    if not present.str.fullmatch(DATE).eq(True).all():
        return None
    zoned = present.str.contains(rf":.*{ZONE}$")
    if zoned.nunique() > 1:
        return None
    try:
        return pandas.to_datetime(column, format="ISO8601", utc=bool(zoned.iloc[0]))
    except (ValueError, OverflowError):  # the 31st of June
        return None


def _parquet(pandas: Any, content: io.BytesIO) -> Any:
    return pandas.read_parquet(content, engine="pyarrow")


def _arrow(pandas: Any, content: io.BytesIO) -> Any:
    return pandas.read_feather(content)


# what a file is called in errors, and how it is read
BINARY: dict[str, tuple[str, Callable[[Any, io.BytesIO], Any]]] = {
    ".parquet": ("a Parquet", _parquet), ".feather": ("a Feather", _arrow), ".arrow": ("an Arrow", _arrow),
}  # fmt: skip
