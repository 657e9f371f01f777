"""What the target of a table asks for: classes or numbers."""

from typing import NamedTuple

import numpy as np

from fastmlp.cli.recipes import CLASSIFICATION, REGRESSION
from fastmlp.streaming.columns import NUMBER
from fastmlp.tables import objects
from fastmlp.tables.column import DATE, WORDS, Values

MOST_CLASSES = 20  # that whole numbers stand for
ROWS_PER_CLASS = 5  # on average, where there are more than two classes
LARGEST_WHOLE = 2.0**53  # above it float64 has no fractions


class Target(NamedTuple):
    """What is to be predicted.

    Attributes
    ----------
    name : str
        Of the column.
    task : str
        ``CLASSIFICATION`` or ``REGRESSION``.
    y : numpy.ndarray (n,)
        Texts or whole numbers, or float64.
    different : int
        How many different values there are.
    """

    name: str
    task: str
    y: np.ndarray
    different: int


def target_of(column: Values, asked: str | None) -> Target:
    """Return the target that a column is.

    Text and booleans are classes. Numbers are classes where all are whole, at most 20 are different, and each of these
    stands in five rows on average, or there are only two. Other numbers mean regression.

    Parameters
    ----------
    column : Values
        As it was read.
    asked : str or None
        The task that the user wants; None leaves it to the rule.

    Raises
    ------
    ValueError
        A row has no value, all have the same, or they do not fit the task.
    """
    gaps, different = np.flatnonzero(column.missing), len(np.unique(column.values))
    if len(gaps):
        raise ValueError(
            f"--target: column {column.name!r} has no value in row {gaps[0]} (counted from 0; {len(gaps)} such rows), "
            "expected one in every row: leave those rows out"
        )
    if column.kind == DATE:
        raise ValueError(f"--target: column {column.name!r} holds dates, expected classes or numbers")
    if different < 2:
        raise ValueError(f"--target: column {column.name!r} has the same value in every row, expected at least two")
    task = asked or (CLASSIFICATION if _stands_for_classes(column, different) else REGRESSION)
    if task == REGRESSION and column.kind != NUMBER:
        raise ValueError(
            f"--task: regression expects a target of numbers, column {column.name!r} holds {WORDS[column.kind]}"
        )
    return Target(column.name, task, column.values if task == REGRESSION else classes_of(column), different)


def classes_of(column: Values) -> np.ndarray:
    """Return the labels of the rows: text, or whole numbers."""
    if column.kind != NUMBER:
        found: np.ndarray = np.array(column.levels)[column.values]
        return found
    if _whole(column.values):
        return column.values.astype(np.int64)
    return np.array([objects.text(value) for value in column.values.tolist()])


def _stands_for_classes(column: Values, different: int) -> bool:
    if column.kind != NUMBER:
        return True
    few = different == 2 or different <= min(MOST_CLASSES, len(column.values) / ROWS_PER_CLASS)
    return few and _whole(column.values)


def _whole(values: np.ndarray) -> bool:
    return bool(((values == np.trunc(values)) & (np.abs(values) <= LARGEST_WHOLE)).all())
