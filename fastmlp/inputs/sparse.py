"""Sparse data: rows that are spread out a mini-batch at a time, never all at once."""

from typing import Any

import numpy as np


class CsrRows:
    """The rows of a SciPy matrix in compressed sparse row format, where the engine expects an array.

    Parameters
    ----------
    matrix : scipy.sparse matrix or array
        Of any format; elements that are stored twice are summed.
    """

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix.tocsr()
        self.shape: tuple[int, ...] = self.matrix.shape
        self.dtype: np.dtype = self.matrix.dtype
        self._kept: dict[np.dtype, tuple[np.ndarray, ...]] = {}

    @property
    def ndim(self) -> int:
        """2, of matrices."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> "CsrRows":
        return CsrRows(self.matrix[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.matrix.toarray(), dtype)

    def address(self, dtype: np.dtype) -> int:
        """Return the address of an array of three addresses.

        They are those of the elements in `dtype`, of their columns (int32), and of the rows' starts (int64).

        They are valid as long as this object lives.
        """
        if dtype not in self._kept:
            kinds = {"data": dtype, "indices": np.dtype(np.int32), "indptr": np.dtype(np.int64)}
            with np.errstate(over="ignore"):  # what is too large for the dtype is found where it is used
                arrays = [np.ascontiguousarray(getattr(self.matrix, name), kind) for name, kind in kinds.items()]
            addresses = np.array([array.ctypes.data for array in arrays])
            self._kept.setdefault(dtype, (addresses, *arrays))  # another thread may use its own already
        return int(self._kept[dtype][0].ctypes.data)

    def first_beyond(self, limit: np.floating[Any]) -> tuple[Any, int, int] | None:
        """Return an element that is NaN or above a limit in absolute value, its row and its column."""
        beyond = np.flatnonzero(~(np.abs(self.matrix.data) <= limit))
        if not len(beyond):
            return None
        row = int(np.searchsorted(self.matrix.indptr, beyond[0], side="right")) - 1
        return self.matrix.data[beyond[0]], row, int(self.matrix.indices[beyond[0]])


Matrix = np.ndarray | CsrRows


def checked(name: str, matrix: Any) -> CsrRows:
    """Return the rows of a matrix of SciPy; ValueError where its indices lie outside, which SciPy lets pass."""
    rows = CsrRows(matrix)
    try:
        rows.matrix.check_format(full_check=True)
    except ValueError as error:
        raise ValueError(f"{name} must be a valid sparse matrix, got one of shape {rows.shape}: {error}") from error
    return rows


def plain(x: Matrix) -> Any:
    """Return the data as users know them: an array, or a matrix of SciPy."""
    return x.matrix if isinstance(x, CsrRows) else x
