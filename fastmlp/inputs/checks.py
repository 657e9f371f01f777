"""The doors for arguments other than data: what they must be, and the texts of errors."""

import contextlib
import math
import numbers
import operator
import reprlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp.system.cores import usable_cores


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


PRECISIONS = ("float32", "bfloat16")


def matmul_precision(value: Any, dtype: np.dtype) -> str:
    """Return `value`; raise unless it is a precision of the products of a network of that dtype."""
    one_of("matmul_precision", value, PRECISIONS)
    if value == "bfloat16" and dtype != np.float32:
        raise ValueError(f"matmul_precision='bfloat16' needs a network of dtype float32, got {dtype}")
    return str(value)


def instance(name: str, value: Any, kind: type) -> None:
    """Raise unless `value` is a `kind`."""
    if not isinstance(value, kind):
        shown = " ".join(reprlib.repr(value).split())
        raise TypeError(f"{name} must be a {kind.__name__}, got {shown} ({type(value).__name__})")


def absent_beside_a_stream(**values: Any) -> None:
    """Raise where one of these arguments is given though the data are a stream, which has its own."""
    for name, value in values.items():
        if value is not None:
            raise ValueError(
                f"{name} must be left out beside a stream, whose columns are its target and sample_weight, got "
                f"{type(value).__name__}"
            )


def functions(name: str, value: Any) -> None:
    """Raise unless `value` is a sequence of what can be called."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise TypeError(f"{name} must be a sequence of functions, got {value!r} ({type(value).__name__})")
    for item in value:
        if not callable(item):
            raise TypeError(f"{name} must be a sequence of functions, got {item!r} ({type(item).__name__}) in it")


def row_indices(name: str, value: Any, n: int) -> np.ndarray:
    """Return indices of `n` rows as a C-ordered int64 array; raise unless there is one and all are in ``0 … n - 1``."""
    expected = f"a 1-D array of indices 0 … {n - 1}"
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        hint = " (np.flatnonzero makes indices of a mask)" if array.dtype.kind == "b" else ""
        raise TypeError(f"{name} must be {expected}, got dtype {array.dtype}{hint}")
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{name} must be {expected}, at least one, got shape {array.shape}")
    for extreme in (array.min(), array.max()):
        if not 0 <= extreme < n:
            raise ValueError(f"{name} must be {expected}, got {extreme}")
    return np.array(array, np.int64)  # a copy, which nobody else can change while it is used


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
