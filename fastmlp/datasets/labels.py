"""The conversion of a file's labels to class indices."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# above this, neighbouring float64 numbers differ by more than 1, so that every number is whole
MAX_WHOLE_FLOAT = 2.0**53


def class_indices(
    labels: npt.NDArray[Any], class_names: Sequence[Any] | None, where: str
) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """Replace each label by the index of its class.

    Parameters
    ----------
    labels : ndarray, shape (n,)
        Integers, whole floats, booleans or strings.
    class_names : sequence or None
        The labels in the order of their indices. None takes the labels that occur, sorted.
    where : str
        Name of the labels, for the text of an error.

    Returns
    -------
    y : ndarray of int64, shape (n,)
        Index of each label in `class_names`.
    class_names : list of int, str or bool
        The labels in the order of their indices.
    """
    found, y = np.unique(_comparable(labels, where), return_inverse=True)
    names = found.tolist()
    if class_names is None:
        return y.astype(np.int64, copy=False), names
    known = [name.item() if isinstance(name, np.generic) else name for name in class_names]
    index = {name: i for i, name in enumerate(known)}
    unknown = [name for name in names if name not in index]
    if unknown:
        raise ValueError(f"{where}: found the label {unknown[0]!r}, expected one of class_names, {known}")
    return np.array([index[name] for name in names], np.int64)[y], known


def _comparable(labels: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    if labels.ndim != 1:
        raise ValueError(f"{where}: got labels of shape {labels.shape}, expected one per row, shape (n,)")
    if labels.dtype == object and all(isinstance(label, str) for label in labels):
        return labels.astype(np.str_)
    if labels.dtype.kind in "iubU":
        return labels
    if labels.dtype.kind != "f":
        raise ValueError(f"{where}: got labels of dtype {labels.dtype}, expected integers, strings or booleans")
    fractional = np.flatnonzero(~((labels == np.trunc(labels)) & (np.abs(labels) <= MAX_WHOLE_FLOAT)))
    if fractional.size:
        row = int(fractional[0])
        raise ValueError(
            f"{where}: got {labels[row]} in row {row}, expected class labels: integers, strings or booleans"
        )
    return labels.astype(np.int64)
