"""Labels of a stream → class indices, chunk by chunk."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp.inputs.streamed import StreamError
from fastmlp.streaming.columns import CATEGORY, Column, codes_of, numbers_of, refuse_missing, shown, text_of

MOST_CLASSES = 1 << 16
WHOLE = 2.0**53  # floats beyond this are whole by rounding alone


def labels_in(array: Any, column: Column, where: str) -> tuple[list[Any], np.ndarray]:
    """Return the different labels of a chunk, and how often each occurs.

    Raises
    ------
    StreamError, ValueError
        A label is missing, or is no label: a fraction, or a row of several numbers.
    """
    if column.kind == CATEGORY:
        refuse_missing(array, column.name, where)
        texts, numbers = text_of(array)
        counts = np.bincount(numbers.to_numpy(zero_copy_only=False), minlength=len(texts))
        return [text for text, count in zip(texts.to_pylist(), counts, strict=True) if count], counts[counts > 0]
    found, counts = np.unique(_whole(array, column, where), return_counts=True)
    return [bool(label) if column.dtype.kind == "b" else int(label) for label in found], counts


def _whole(array: Any, column: Column, where: str) -> np.ndarray:
    """Return numbers that are labels."""
    if not isinstance(array, np.ndarray):
        refuse_missing(array, column.name, where)
        array = numbers_of(array, column.dtype)
    if array.ndim != 1:
        raise StreamError(
            f"{where}: column {column.name!r} holds {array.shape[1]} numbers in a row, expected one label"
        )
    if array.dtype.kind == "f" and not ((array == np.trunc(array)) & (np.abs(array) <= WHOLE)).all():
        fraction = array[~((array == np.trunc(array)) & (np.abs(array) <= WHOLE))][0]
        raise StreamError(
            f"{where}: column {column.name!r} holds {fraction}, expected class labels: whole numbers, strings or "
            "booleans"
        )
    return np.asarray(array)


class Classes:
    """The classes that the labels of a column stand for.

    Parameters
    ----------
    names : sequence
        The labels in the order of their indices: whole numbers, booleans or strings.
    column : Column
        Of the labels. Where it holds numbers, names that are strings, as networks keep them, are read as numbers.

    Raises
    ------
    ValueError
        A name cannot be a label of the column.
    """

    def __init__(self, names: Sequence[Any], column: Column) -> None:
        self.column = column
        if column.kind == CATEGORY:
            self.names: list[Any] = [str(name) for name in names]
            return
        try:
            self.names = [_number(name, column.dtype.kind == "b") for name in names]
        except ValueError:
            raise ValueError(
                f"class_names: got {list(names)!r} for column {column.name!r}, which holds {column.dtype}"
            ) from None
        numbers = np.array([int(name) for name in self.names], np.int64)
        self._order = np.argsort(numbers, kind="stable")
        self._sorted = numbers[self._order]
        self._are_indices = numbers.tolist() == list(range(len(numbers)))

    def indices(self, array: Any, where: str) -> np.ndarray:
        """Return the index of each label's class, int64.

        Raises
        ------
        StreamError, ValueError
            A label is missing or of no class.
        """
        if self.column.kind == CATEGORY:
            refuse_missing(array, self.column.name, where)
            return codes_of(array, self.column.name, tuple(self.names), where).astype(np.int64)
        labels = _whole(array, self.column, where).astype(np.int64)
        if self._are_indices:
            wrong = (labels < 0) | (labels >= len(self.names))
            found = labels
        else:
            places = np.minimum(np.searchsorted(self._sorted, labels), len(self._sorted) - 1)
            wrong, found = self._sorted[places] != labels, self._order[places]
        if wrong.any():
            label, expected = labels[wrong][0], shown(self.names, 8)
            raise StreamError(
                f"{where}: column {self.column.name!r} holds the label {label}, expected one of {expected}"
            )
        return found


def _number(name: Any, boolean: bool) -> Any:
    if not boolean:
        return int(name)
    if str(name) not in ("True", "False"):
        raise ValueError
    return str(name) == "True"
