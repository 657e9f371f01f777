"""Parameters, classes and targets of an estimator as values of JSON, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np

OF_A_MACHINE = ("threads", "progress")  # not stored
SCALARS = (bool, int, float, str)


def of_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of an estimator; generators of random numbers become None, the default."""
    return {name: _plain(value) for name, value in parameters.items() if name not in OF_A_MACHINE}


def parameters_of(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `of_parameters` returned as parameters again."""
    return {name: dict(value["pairs"]) if isinstance(value, dict) else value for name, value in described.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):  # its keys may be numbers, which are text in JSON's objects
        return {"pairs": [[_plain(key), _plain(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    return value if isinstance(value, SCALARS) else None


def of_array(array: np.ndarray) -> dict[str, Any]:
    """Return an array of numbers, booleans or text.

    Raises
    ------
    TypeError
        An element is something else.
    """
    values = array.tolist()
    for value in np.ravel(array).tolist():
        if not isinstance(value, SCALARS):
            raise TypeError(f"only numbers, booleans and text can be stored, got {value!r} ({type(value).__name__})")
    return {"dtype": array.dtype.str, "values": values}


def array_of(described: Mapping[str, Any], shape: tuple[int | None, ...]) -> np.ndarray:
    """Return what `of_array` returned as an array again.

    Parameters
    ----------
    described : dict
        From a file.
    shape : tuple of int or None
        What it must be; None stands for any number of at least 1.

    Raises
    ------
    ValueError, TypeError, KeyError
        It is something else, or has NaN or infinity.
    """
    found = np.array(described["values"], np.dtype(described["dtype"]))
    if found.dtype.kind not in "biufUO" or not all(isinstance(value, SCALARS) for value in found.ravel().tolist()):
        raise ValueError(f"expected numbers, booleans or text, got {described}")
    if found.ndim != len(shape) or any(n == 0 or n != (m or n) for n, m in zip(found.shape, shape, strict=True)):
        raise ValueError(f"expected an array of shape {shape}, got {found.shape}")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise ValueError(f"expected finite numbers, got {described['values']}")
    return found
