"""Dates as numbers: the time itself, and what repeats with the year, the month, the week and the day."""

import numpy as np

PARTS = ("time", "month", "day", "weekday", "hour")
DAY = 86_400_000_000  # microseconds
MONDAY_BEFORE = 3  # days from the Monday before 1 January 1970 to that day


def parts(microseconds: np.ndarray) -> np.ndarray:
    """Return the numbers of dates.

    Parameters
    ----------
    microseconds : numpy.ndarray (n,)
        Since 1970, float64; NaN where there is no date.

    Returns
    -------
    numpy.ndarray (n, 5)
        Days since 1970 with their fraction, month 1 … 12, day of the month 1 … 31, day of the week from 0 for Monday,
        hour with its fraction; NaN where there is no date. The columns are named by `PARTS`.
    """
    missing = np.isnan(microseconds)
    whole = np.where(missing, 0.0, microseconds).astype(np.int64)
    times = whole.astype("datetime64[us]")
    months, days = times.astype("datetime64[M]"), times.astype("datetime64[D]")
    found = np.empty((len(whole), len(PARTS)))
    found[:, 0] = whole / DAY
    found[:, 1] = months.astype(np.int64) % 12 + 1
    found[:, 2] = (days - months).astype(np.int64) + 1
    found[:, 3] = (days.astype(np.int64) + MONDAY_BEFORE) % 7
    found[:, 4] = whole % DAY / (DAY / 24)
    found[missing] = np.nan
    return found
