"""The doors: validation of what users pass, and the texts of errors. Everything behind them trusts its inputs."""

import contextlib
import math
import numbers
import operator
import reprlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp import csr
from fastmlp.cores import usable_cores
from fastmlp.csr import CsrRows, Matrix

CHUNK_BYTES = 1 << 22  # of a data set looked through at a time, so that a memory map is never read whole

LIMITS = {np.dtype(name): np.finfo(name).max for name in ("float32", "float64")}


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r} ({type(value).__name__})")
    return float(value)


def positive(name: str, value: Any) -> None:
    """Raise unless `value` is a finite number above 0."""
    if not (_number(name, value) > 0 and math.isfinite(value)):
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")


def not_negative(name: str, value: Any) -> None:
    """Raise unless `value` is a finite number of at least 0."""
    if not (_number(name, value) >= 0 and math.isfinite(value)):
        raise ValueError(f"{name} must be a finite number of at least 0, got {value!r}")


def in_unit_interval(name: str, value: Any) -> None:
    """Raise unless `value` is above 0 and at most 1."""
    if not 0 < _number(name, value) <= 1:
        raise ValueError(f"{name} must be above 0 and at most 1, got {value!r}")


def inside_unit_interval(name: str, value: Any) -> None:
    """Raise unless `value` is above 0 and below 1."""
    if not 0 < _number(name, value) < 1:
        raise ValueError(f"{name} must be above 0 and below 1, got {value!r}")


def fraction(name: str, value: Any) -> None:
    """Raise unless `value` is at least 0 and below 1."""
    if not 0 <= _number(name, value) < 1:
        raise ValueError(f"{name} must be at least 0 and below 1, got {value!r}")


def flag(name: str, value: Any) -> None:
    """Raise unless `value` is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}")


def count(name: str, value: Any) -> int:
    """Return `value` as an int; raise unless it is an integer of at least 1."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be an integer of at least 1, got {value!r}")
    try:
        found = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer of at least 1, got {value!r} ({type(value).__name__})") from None
    if found < 1:
        raise ValueError(f"{name} must be an integer of at least 1, got {found}")
    return found


def one_of(name: str, value: Any, known: Sequence[str]) -> None:
    """Raise unless `value` is one of the `known` strings."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}")


def instance(name: str, value: Any, kind: type) -> None:
    """Raise unless `value` is a `kind`."""
    if not isinstance(value, kind):
        shown = " ".join(reprlib.repr(value).split())
        raise TypeError(f"{name} must be a {kind.__name__}, got {shown} ({type(value).__name__})")


def functions(name: str, value: Any) -> None:
    """Raise unless `value` is a sequence of what can be called."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise TypeError(f"{name} must be a sequence of functions, got {value!r} ({type(value).__name__})")
    for item in value:
        if not callable(item):
            raise TypeError(f"{name} must be a sequence of functions, got {item!r} ({type(item).__name__}) in it")


def widths(value: Any) -> tuple[int, ...]:
    """Return the widths of a network: inputs, hidden layers, classes."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise TypeError(f"widths must be a sequence of integers such as [784, 20, 10], got {value!r}")
    found = tuple(count(f"widths[{i}]", width) for i, width in enumerate(value))
    if len(found) < 2:
        raise ValueError(f"widths must hold at least two numbers, inputs and classes, got {list(found)}")
    return found


def network_dtype(value: Any) -> np.dtype:
    """Return the dtype of a network's parameters, float32 or float64."""
    with contextlib.suppress(TypeError):
        for known in (np.dtype(np.float32), np.dtype(np.float64)):
            if value is not None and np.dtype(value) == known:
                return known
    raise ValueError(f"dtype must be 'float32' or 'float64', got {value!r}")


def threads(value: Any, name: str = "threads") -> int:
    """Return a number of threads or processes; None means all cores that the process may use."""
    return usable_cores() if value is None else count(name, value)


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
        raise TypeError(f"{name} must hold integers or floats (at most 64 bits), got dtype {array.dtype}")
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


def _array(name: str, value: Any, n_inputs: int) -> Matrix:
    if isinstance(value, CsrRows):
        return value
    if hasattr(value, "tocsr"):
        return csr.checked(name, value)
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be 2-D (n, {n_inputs}), got rows of unequal length") from error


def finite(name: str, array: Matrix, dtype: np.dtype) -> None:
    """Raise ValueError where a matrix holds NaN, infinity or a number beyond `dtype`."""
    if array.dtype.kind != "f":
        return
    if isinstance(array, CsrRows):
        beyond = array.first_beyond(float(LIMITS[dtype]))
        if beyond is not None:
            raise _not_finite(name, dtype, *beyond)
        return
    limit, whole = LIMITS[dtype], array.dtype == dtype
    rows = max(1, CHUNK_BYTES // array[0].nbytes)
    for start in range(0, len(array), rows):
        chunk = array[start : start + rows]
        if whole and math.isfinite(_sum(chunk)):
            continue  # one pass instead of two
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
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold {expected}, got dtype {array.dtype}")
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1-D, a class index for each row of {features_name}, got shape {array.shape}")
    if len(array) != n_rows:
        raise ValueError(f"{name} must have {n_rows} elements, the rows of {features_name}, got {len(array)}")
    for extreme in (array.argmin(), array.argmax()):
        if not 0 <= array[extreme] < n_classes:
            raise ValueError(f"{name} must hold {expected}, got {array[extreme]} at position {extreme}")
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


def dropout(value: Any, n_hidden: int) -> tuple[float, ...]:
    """Return the dropout rate of each hidden layer."""
    one = isinstance(value, str) or not isinstance(value, (Sequence, np.ndarray)) or np.ndim(value) == 0
    rates = (value,) if one else tuple(value)
    for rate in rates:
        fraction("dropout", rate)
    if one:
        return n_hidden * (float(value),)
    if len(rates) != n_hidden:
        raise ValueError(
            f"dropout must be one rate or one for each of {n_hidden} hidden layers, got {len(rates)} rates"
        )
    return tuple(float(rate) for rate in rates)


def held_out(fraction: Any, n: int) -> int:
    """Return how many of `n` rows a validation fraction holds out; at least one stays on either side."""
    if not 0 < _number("validation", fraction) < 1:
        expected = "a fraction between 0 and 1, a pair (X_val, y_val) or None"
        raise ValueError(f"validation must be {expected}, got {fraction!r}")
    rows = round(float(fraction) * n)
    if not 0 < rows < n:
        raise ValueError(f"validation={fraction!r} of {n} rows leaves {n - rows} to train on and {rows} to validate on")
    return rows


def generator(name: str, seed: Any) -> np.random.Generator:
    """Return a Generator made from a seed, or the one that was passed."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} must be a non-negative integer or a numpy Generator, got {seed!r}") from error
