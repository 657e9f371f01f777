"""A column of a table as it was read, before anything is learned from it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from fastmlp.streaming.columns import CATEGORY, NUMBER

BOOLEAN, DATE = "boolean", "date"  # the other kinds are NUMBER and CATEGORY
GAP = -1  # the code of a row without a level
WORDS = {NUMBER: "numbers", BOOLEAN: "booleans", CATEGORY: "text or categories", DATE: "dates"}  # for errors


class Known(NamedTuple):
    """What is known of a column before it is read: its kind, and its time zone if it has dates."""

    kind: str
    time_zone: str | None = None


@dataclass(frozen=True)
class Values:
    """The values of a column.

    Attributes
    ----------
    name : str
        Of the column, or its position in an array.
    kind : str
        ``NUMBER``, ``BOOLEAN``, ``CATEGORY`` or ``DATE``.
    dtype : str
        As the table calls it.
    values : numpy.ndarray (n,)
        Numbers: float64, NaN where there is none. Dates: microseconds since 1970 on the clock of the time zone, float64
        and NaN alike. Booleans and categories: positions in `levels`, int64, ``GAP`` where there is none.
    levels : tuple of str
        Of booleans and categories.
    time_zone : str or None
        Of dates.
    """

    name: str
    kind: str
    dtype: str
    values: np.ndarray
    levels: tuple[str, ...] = ()
    time_zone: str | None = None

    @property
    def missing(self) -> np.ndarray:
        """For each row whether it has no value."""
        found: np.ndarray = self.values == GAP if self.values.dtype.kind == "i" else np.isnan(self.values)
        return found

    def take(self, rows: np.ndarray | slice) -> "Values":
        """Return some rows."""
        return replace(self, values=self.values[rows])


class Table(NamedTuple):
    """The columns of a table of `n` rows."""

    columns: Sequence[Values]
    n: int

    def take(self, rows: np.ndarray) -> "Table":
        """Return the rows of these indices."""
        return Table([column.take(rows) for column in self.columns], len(rows))

    def part(self, start: int, stop: int) -> "Table":
        """Return the rows from `start` to `stop`."""
        stop = min(stop, self.n)
        return Table([column.take(slice(start, stop)) for column in self.columns], stop - start)
