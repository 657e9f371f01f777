"""Frames of every library, and arrays: the same columns."""

import datetime
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fastmlp.streaming.columns import CATEGORY, NUMBER
from fastmlp.tables import frames
from fastmlp.tables.column import BOOLEAN, DATE, Known

ZONE = "Europe/Berlin"
DAYS = [datetime.datetime(2020, 1, 1, 12), None, datetime.datetime(2020, 7, 1, 12)]
POLARS = pl.DataFrame(
    {
        "float": [1.0, None, 3.0],
        "int": [1, None, 3],
        "bool": [True, None, False],
        "text": ["x", None, "y"],
        "date": [day and day.date() for day in DAYS],
        "when": DAYS,
        "span": [datetime.timedelta(seconds=1), None, datetime.timedelta(seconds=2)],
        "decimal": pl.Series(["1.5", None, "2.5"]).cast(pl.Decimal(10, 2)),
        "nothing": [None, None, None],
    }
).with_columns(
    category=pl.col("text").cast(pl.Categorical),
    enum=pl.col("text").cast(pl.Enum(["y", "x"])),
    zoned=pl.col("when").dt.replace_time_zone(ZONE),
)
PANDAS = pd.DataFrame(
    {
        "float": [1.0, None, 3.0],
        "int": pd.array([1, None, 3], dtype="Int64"),
        "bool": pd.array([True, None, False], dtype="boolean"),
        "text": ["x", None, "y"],
        "date": pd.array([day and day.date() for day in DAYS], dtype="date32[pyarrow]"),
        "when": pd.to_datetime(pd.Series(DAYS)),
        "span": pd.to_timedelta([1, None, 2], unit="s"),
        "decimal": [1.5, None, 2.5],
        "nothing": [None, None, None],
        "category": pd.Categorical(["x", None, "y"]),
        "enum": pd.array(["x", None, "y"], dtype="string"),
        "zoned": pd.to_datetime(pd.Series(DAYS)).dt.tz_localize(ZONE),
    }
)
KINDS = {
    "float": NUMBER, "int": NUMBER, "bool": BOOLEAN, "text": CATEGORY, "date": DATE, "when": DATE, "span": NUMBER,
    "decimal": NUMBER, "nothing": NUMBER, "category": CATEGORY, "enum": CATEGORY, "zoned": DATE,
}  # fmt: skip


@pytest.mark.parametrize(
    "frame",
    [PANDAS, PANDAS.convert_dtypes(dtype_backend="pyarrow"), POLARS.to_arrow()],
    ids=["pandas", "pandas with Arrow's dtypes", "pyarrow"],
)
def test_frames_of_every_library_are_read_alike(frame):
    expected, found = frames.read(POLARS), frames.read(frame)
    assert found.n == expected.n == 3
    for ours, theirs in zip(found.columns, expected.columns, strict=True):
        for attribute in ("name", "kind", "levels", "time_zone"):
            assert getattr(ours, attribute) == getattr(theirs, attribute)
        np.testing.assert_array_equal(ours.values, theirs.values, err_msg=ours.name)


def test_kinds_and_gaps():
    table = frames.read(POLARS)
    assert {column.name: column.kind for column in table.columns} == KINDS
    for column in table.columns:
        gaps = [True, True, True] if column.name == "nothing" else [False, True, False]
        assert column.missing.tolist() == gaps


def test_the_clock_is_that_of_the_time_zone_of_the_training():
    noon = (DAYS[0] - datetime.datetime(1970, 1, 1)) / datetime.timedelta(microseconds=1)
    for frame in PANDAS, POLARS:
        (berlin,) = frames.read(frame[["zoned"]]).columns
        assert (berlin.values[0], berlin.time_zone) == (noon, ZONE)
    utc = POLARS.select(pl.col("zoned").dt.convert_time_zone("UTC"))
    assert frames.read(utc).columns[0].values[0] == noon - 3600e6
    assert frames.read(utc, [Known(DATE, ZONE)]).columns[0].values[0] == noon


@pytest.mark.parametrize("zone", ["America/New_York", "Etc/GMT+5", "UTC"])
def test_time_zones_of_every_name(zone):
    dates = pd.to_datetime(pd.Series(DAYS)).dt.tz_localize(zone)
    expected = frames.read(pl.DataFrame({"a": DAYS}).select(pl.col("a").dt.replace_time_zone(zone))).columns[0]
    found = frames.read(dates.to_frame("a")).columns[0]
    assert found.time_zone == expected.time_zone == zone
    np.testing.assert_array_equal(found.values, expected.values)


def test_numbered_categories_are_text_with_or_without_gaps():
    whole, gaps = pd.Series([3, 1, 3], dtype="category"), pd.Series([3, None, 1], dtype="category")
    assert frames.read(whole.to_frame("a")).columns[0].levels == ("1", "3")
    assert frames.read(gaps.to_frame("a")).columns[0].levels == ("1", "3")


def test_arrays():
    numbers = frames.read(np.array([[1, 2], [3, 4]], np.int8))
    assert [(column.name, column.kind) for column in numbers.columns] == [("0", NUMBER), ("1", NUMBER)]
    assert numbers.columns[1].values.tolist() == [2, 4]
    assert frames.read(np.array([["a"], ["b"]])).columns[0].levels == ("a", "b")
    mixed = frames.read(np.array([[1, "a"], [None, "b"]], object))
    assert [column.kind for column in mixed.columns] == [NUMBER, CATEGORY]
    dates = frames.read(np.array([["1970-01-02"], ["NaT"]], "datetime64[s]"))
    np.testing.assert_array_equal(dates.columns[0].values, [86_400e6, np.nan])


def test_parts_of_a_table():
    table = frames.read(POLARS)
    assert [column.values[0] for column in table.take(np.array([2, 0])).columns[:2]] == [3, 3]
    assert table.part(1, 99).n == 2


def test_names_that_are_there_twice():
    with pytest.raises(ValueError, match="several columns of the name 'a', expected each name once"):
        frames.read(pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"]))


@pytest.mark.parametrize(
    "frame", [pd.DataFrame({"a": []}), pd.DataFrame(index=[0, 1]), pl.DataFrame()], ids=["rows", "columns", "both"]
)
def test_empty_frames(frame):
    with pytest.raises(ValueError, match="X must have rows and columns"):
        frames.read(frame)


@pytest.mark.parametrize("number", [np.inf, -np.inf])
def test_infinity(number):
    with pytest.raises(ValueError, match=r"column 'b' holds infinity in row 1 \(counted from 0; 1 such rows\)"):
        frames.read(pl.DataFrame({"a": [1, 2], "b": [1.0, number]}))


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"a": [[1], [2]]}),
        pl.DataFrame({"a": [{"b": 1}, {"b": 2}]}),
        pd.DataFrame({"a": pd.period_range("2020", periods=2, freq="Y")}),
        pd.DataFrame({"a": [1j, 2j]}),
    ],
    ids=["lists", "records", "periods", "complex"],
)
def test_columns_of_other_types(frame):
    with pytest.raises(TypeError, match=r"column 'a': an argument must be a string or a number"):
        frames.read(frame)


def test_without_narwhals(monkeypatch):
    monkeypatch.setitem(sys.modules, "narwhals", None)
    with pytest.raises(ImportError, match=r"narwhals is not installed: pip install 'fastmlp\[sklearn\]'"):
        frames.read(POLARS)
    assert frames.read(np.ones((2, 1))).n == 2


def test_a_lazy_frame():
    with pytest.raises(TypeError, match=r"X is a LazyFrame, expected .* after collect\(\)"):
        frames.read(POLARS.lazy())
