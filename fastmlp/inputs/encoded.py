"""Rows with categories: each is one number until a mini-batch spreads it out into its inputs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp.inputs.sparse import Matrix


class EncodedRows:
    """Rows of numbers and codes of categories, where the engine expects an array.

    Parameters
    ----------
    values : numpy.ndarray (n, n_columns)
        float32 or float64, C-ordered; of a category the code ``0 … categories - 1``. Kept, not copied.
    categories : sequence of int
        For each column the number of its categories, which is the number of its inputs; 0 for a column of numbers,
        which is one input.
    """

    def __init__(self, values: np.ndarray, categories: Sequence[int]) -> None:
        self.values, self.categories = values, tuple(categories)
        widths = np.maximum(1, np.array(categories, np.int64))
        # (n_columns, 2): the first input of each column, and whether it is a category
        self.layout = np.ascontiguousarray(np.stack([np.cumsum(widths) - widths, np.array(categories) > 0], axis=1))
        self.shape: tuple[int, ...] = (len(values), int(widths.sum()))
        self.dtype: np.dtype = values.dtype
        self._addresses = np.array([values.ctypes.data, self.layout.ctypes.data, len(widths)])

    @property
    def ndim(self) -> int:
        """2, of matrices."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> "EncodedRows":
        return EncodedRows(np.ascontiguousarray(self.values[rows]), self.categories)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        out = np.zeros(self.shape, self.dtype if dtype is None else dtype)
        rows = np.arange(len(self))
        for column, (first, is_category) in zip(self.values.T, self.layout, strict=True):
            if is_category:
                out[rows, first + column.astype(np.int64)] = 1
            else:
                out[:, first] = column
        return out

    def address(self) -> int:
        """Return the address of an array: the addresses of the values and of the layout, and the number of columns.

        They are valid as long as this object lives.
        """
        return int(self._addresses.ctypes.data)


Gathered = Matrix | EncodedRows  # what the engine takes rows from
