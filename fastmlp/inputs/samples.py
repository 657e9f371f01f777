"""The doors for data: what features, targets and weights must be, and the texts of errors."""

import math
from typing import Any

import numpy as np

from fastmlp.inputs import sparse
from fastmlp.inputs.sparse import CsrRows, Matrix

CHUNK_BYTES = 1 << 22  # of a data set that are looked through at a time, so that a memory map is never read as a whole

RENUMBER = (
    "np.unique(y, return_inverse=True)[1] numbers any labels from 0, and fastmlp.sklearn.MLPClassifier takes them as "
    "they are"
)
ENCODE = "words become numbers by sklearn.preprocessing.OneHotEncoder, in a pipeline with fastmlp.sklearn.MLPClassifier"
LIMITS = {np.dtype(name): np.finfo(name).max for name in ("float32", "float64")}


def features(name: str, value: Any, n_inputs: int, dtype: np.dtype) -> Matrix:
    """Return a data set ``(n, n_inputs)`` of numbers finite in `dtype`, C-ordered or sparse; copied only where it must.

    Raises
    ------
    TypeError
        The dtype is not integer or floating point.
    ValueError
        The array is not 2-D, has no rows, has another width, or holds NaN, infinity or a number beyond `dtype`.
    """
    array = matrix(name, value, n_inputs)
    finite(name, array, dtype)
    return array


def matrix(name: str, value: Any, n_inputs: int) -> Matrix:
    """Return a data set as `features` does, whether or not its numbers are finite."""
    array = _array(name, value, n_inputs)
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        hint = f" ({ENCODE})" if array.dtype.kind in "OUST" else ""
        raise TypeError(f"{name} must hold integers or floats (at most 64 bits), got dtype {array.dtype}{hint}")
    if array.ndim != 2:
        raise ValueError(f"{name} must be 2-D (n, {n_inputs}), row = sample, got shape {array.shape}")
    if array.shape[1] != n_inputs:
        raise ValueError(f"{name} must have {n_inputs} columns, the network's inputs, got shape {array.shape}")
    if not len(array):
        raise ValueError(f"{name} must have at least one row, got shape {array.shape}")
    if isinstance(array, CsrRows):
        return array
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    elif array.dtype == np.float16:
        array = array.astype(np.float32)
    if array.flags.c_contiguous and array.dtype.isnative:
        return array
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def _is_one_hot(array: np.ndarray) -> bool:
    """Whether each row has a single 1 and else zeros, in at least two columns."""
    if array.ndim != 2 or array.shape[1] < 2 or not len(array) or array.dtype.kind not in "biuf":
        return False
    return bool(((array == 0) | (array == 1)).all() and (array.sum(axis=1) == 1).all())


def _array(name: str, value: Any, n_inputs: int) -> Matrix:
    if isinstance(value, CsrRows):
        return value
    if hasattr(value, "tocsr"):
        return sparse.checked(name, value)
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be 2-D (n, {n_inputs}), got rows of unequal length") from error


def finite(name: str, array: Matrix, dtype: np.dtype) -> None:
    """Raise ValueError where a matrix holds NaN, infinity or a number beyond `dtype`."""
    if array.dtype.kind != "f":
        return
    if isinstance(array, CsrRows):
        beyond = array.first_beyond(LIMITS[dtype])
        if beyond is not None:
            raise _not_finite(name, dtype, *beyond)
        return
    limit, whole = LIMITS[dtype], array.dtype == dtype
    rows = max(1, CHUNK_BYTES // array[0].nbytes)
    for start in range(0, len(array), rows):
        chunk = array[start : start + rows]
        if whole and math.isfinite(_sum(chunk)):
            continue  # a sum that is finite says it in one pass instead of two
        if not (chunk.max() <= limit and chunk.min() >= -limit):  # NaN passes neither
            row, column = np.argwhere(~(np.abs(chunk) <= limit))[0]
            raise _not_finite(name, dtype, chunk[row, column], start + row, column)


def _not_finite(name: str, dtype: np.dtype, found: Any, row: int, column: int) -> ValueError:
    return ValueError(f"{name} must be finite in {dtype}, got {found} at row {row}, column {column}")


def _sum(chunk: np.ndarray) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(chunk.sum())


def labels(name: str, value: Any, n_classes: int, n_rows: int, features_name: str = "X") -> np.ndarray:
    """Return class indices as a C-ordered int64 array ``(n_rows,)``.

    Raises
    ------
    TypeError
        The dtype is not an integer one.
    ValueError
        The array is not 1-D, has another length than the data, or holds an index outside ``0 … n_classes - 1``.
    """
    expected = f"integer class indices 0 … {n_classes - 1}"
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be 1-D, a class index for each row of {features_name}") from error
    if _is_one_hot(array):
        got = f"got one-hot rows, shape {array.shape}: pass {name}.argmax(axis=1)"
        raise ValueError(f"{name} must be 1-D, a class index for each row of {features_name}, {got}")
    if array.dtype.kind not in "iu":
        hint = f'for numbers to predict, build the network with output="identity"; {RENUMBER}'
        raise TypeError(f"{name} must hold {expected}, got dtype {array.dtype} ({hint})")
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1-D, a class index for each row of {features_name}, got shape {array.shape}")
    if len(array) != n_rows:
        raise ValueError(f"{name} must have {n_rows} elements, the rows of {features_name}, got {len(array)}")
    for extreme in (array.argmin(), array.argmax()):
        if not 0 <= array[extreme] < n_classes:
            raise ValueError(f"{name} must hold {expected}, got {array[extreme]} at position {extreme} ({RENUMBER})")
    # Numba would compile anew for an array that is read-only or not aligned
    return np.require(array, np.int64, ["C", "ALIGNED", "WRITEABLE"])


def targets(name: str, value: Any, kernel: str, n_outputs: int, n_rows: int, dtype: np.dtype,
            features_name: str = "X") -> np.ndarray:  # fmt: skip
    """Return the targets of a loss, named by its kernel: class indices, or a C-ordered array ``(n_rows, n_outputs)``.

    Raises
    ------
    TypeError
        The dtype is not a real one, or for class indices not an integer one.
    ValueError
        The array has another shape, or holds a value that is not finite or outside the loss's range.
    """
    if kernel == "cross_entropy":
        return labels(name, value, n_outputs, n_rows, features_name)
    shape = f"({n_rows}, {n_outputs})" + (f" or ({n_rows},)" if n_outputs == 1 else "")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be {shape}, got rows of unequal length") from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold integers or floats, got dtype {array.dtype}")
    if array.ndim == 1 and n_outputs == 1:
        array = array[:, None]
    if array.shape != (n_rows, n_outputs):
        raise ValueError(f"{name} must be {shape}, a row for each row of {features_name}, got shape {np.shape(value)}")
    finite(name, array, dtype)
    lowest, highest = {"binary_cross_entropy": (0, 1), "poisson": (0, math.inf)}.get(kernel, (-math.inf, math.inf))
    if array.min() < lowest or array.max() > highest:
        expected = "between 0 and 1" if highest == 1 else "of at least 0"
        raise ValueError(f"{name} must hold numbers {expected}, got {array.min()} to {array.max()}")
    return np.ascontiguousarray(array, dtype)


def weights(name: str, value: Any, n_rows: int, features_name: str = "X") -> np.ndarray | None:
    """Return weights of rows as a float64 array ``(n_rows,)``, None for None.

    Raises
    ------
    TypeError
        The dtype is not a real one.
    ValueError
        The array has another length, or holds a value that is negative or not finite, or only zeros; or its sum is
        too large.
    """
    if value is None:
        return None
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be ({n_rows},), got rows of unequal length") from error
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise TypeError(f"{name} must hold numbers of at most 64 bits, got dtype {array.dtype}")
    if array.shape != (n_rows,):
        raise ValueError(
            f"{name} must be ({n_rows},), a weight for each row of {features_name}, got shape {array.shape}"
        )
    if not (np.isfinite(array) & (array >= 0)).all():
        bad = array[~(np.isfinite(array) & (array >= 0))][0]
        raise ValueError(f"{name} must hold finite numbers of at least 0, got {bad}")
    if not array.any():
        raise ValueError(f"{name} must hold a number above 0, got zeros only")
    if array.max() > np.finfo(np.float64).max / n_rows:
        raise ValueError(f"{name} must have a finite sum, got numbers up to {array.max()}")
    return np.ascontiguousarray(array, np.float64)
