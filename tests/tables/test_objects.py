"""Columns of Python objects: the kind that the values have."""

import datetime
import decimal
import warnings

import numpy as np
import pandas as pd
import pytest

from fastmlp.streaming.columns import CATEGORY, NUMBER
from fastmlp.tables import objects
from fastmlp.tables.column import BOOLEAN, DATE, Known

GAPS = (None, float("nan"), pd.NA, pd.NaT)


def read(values, known=None):
    missing = np.array([objects.is_missing(value) for value in values])
    return objects.values_of("a", "object", values, missing, known)


@pytest.mark.parametrize("gap", GAPS)
def test_gaps(gap):
    assert objects.is_missing(gap)
    assert read([1, gap]).missing.tolist() == [False, True]
    assert read(["x", gap]).missing.tolist() == [False, True]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 2.5, decimal.Decimal("3.5"), np.float32(4)], NUMBER, [1, 2.5, 3.5, 4]),
        ([True, 2], NUMBER, [1, 2]),
        ([datetime.timedelta(minutes=1), None], NUMBER, [60, np.nan]),
        ([datetime.time(1, 0, 2, 500_000)], NUMBER, [3602.5]),
        ([datetime.date(1970, 1, 2), None], DATE, [86_400e6, np.nan]),
        ([datetime.datetime(1970, 1, 1, 0, 1)], DATE, [60e6]),
        ([True, np.False_, None], BOOLEAN, [1, 0, -1]),
        (["b", "a", None, "b"], CATEGORY, [1, 0, -1, 1]),
        ([None, None], NUMBER, [np.nan, np.nan]),
    ],
)
def test_kinds(values, kind, expected):
    found = read(values)
    assert found.kind == kind
    np.testing.assert_array_equal(found.values, expected)


def test_numbers_beside_text_are_text_with_a_warning():
    with pytest.warns(UserWarning, match="column 'a' mixes int and str"):
        found = read([1, "b", 1])
    assert (found.kind, found.levels, found.values.tolist()) == (CATEGORY, ("1", "b"), [0, 1, 0])


def test_in_prediction_a_column_is_what_it_was():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read([1, 2], Known(CATEGORY)).levels == ("1", "2")
        assert read([True, False], Known(NUMBER)).kind == NUMBER
        assert read([None], Known(CATEGORY)).kind == CATEGORY
    with pytest.raises(TypeError, match=r"column 'a'.*numbers, got 'b' \(str\)"):
        read([1, "b"], Known(NUMBER))


def test_whole_floats_are_the_levels_that_integers_are():
    assert objects.text(2.0) == objects.text(2) == "2"
    assert objects.text(2.5) == "2.5"


@pytest.mark.parametrize("value", [{"foo": 1}, [1], 1j, b"x"])
def test_others_are_refused(value):
    with pytest.raises(TypeError, match=r"column 'a': an argument must be a string or a number"):
        read([1, value])


def test_objects_with_time_zones_are_refused():
    with pytest.raises(TypeError, match=r"column 'a' holds Python objects with time zones.*to_datetime"):
        read([datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)])
