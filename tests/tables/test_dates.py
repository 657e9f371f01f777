"""Dates as numbers, beside Python's own calendar."""

import datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.tables.dates import PARTS, parts

DAY = datetime.timedelta(days=1)
EPOCH = datetime.datetime(1970, 1, 1)


@given(st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2250, 1, 1)))
def test_parts_are_those_of_the_calendar(when):
    microseconds = (when - EPOCH) // datetime.timedelta(microseconds=1)
    found = dict(zip(PARTS, parts(np.array([float(microseconds)]))[0], strict=True))
    assert (found["month"], found["day"], found["weekday"]) == (when.month, when.day, when.weekday())
    np.testing.assert_allclose(found["hour"], (when - datetime.datetime.combine(when, datetime.time())) / DAY * 24)
    np.testing.assert_allclose(found["time"], (when - EPOCH) / DAY, rtol=1e-12, atol=1e-9)


def test_a_gap_stays_one():
    found = parts(np.array([0.0, np.nan]))
    np.testing.assert_array_equal(found[0], [0, 1, 1, 3, 0])
    assert np.isnan(found[1]).all()
