"""`load`, which reads the user's files in all formats."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastmlp.datasets import arrays, idx, labels, streams, tables

PathLike = str | os.PathLike[str]

KNOWN_FORMATS = (
    ".npz, .npy, .csv, .parquet, or IDX (a name with 'idx' in it, such as train-images-idx3-ubyte); "
    ".csv and IDX also packed as .gz or .xz"
)
TABLES = {".csv": tables.read_csv, ".parquet": tables.read_parquet}


class Dataset(NamedTuple):
    """What `load` returns."""

    X: npt.NDArray[Any]
    """Features, shape (n, n_inputs), C-ordered; in the type in which the file holds them."""

    y: npt.NDArray[np.int64] | None
    """Class indices 0 … k-1, shape (n,); None without labels."""

    class_names: list[Any] | None
    """The labels in the order of their indices, length k; None without labels."""


def load(
    path: PathLike | tuple[PathLike, PathLike],
    *,
    target: PathLike | None = None,
    features: Sequence[str] | None = None,
    class_names: Sequence[Any] | None = None,
) -> Dataset:
    """Read a data set from a file.

    Parameters
    ----------
    path : path-like or pair of path-like
        The file of the features. Its name tells its format. ``load((a, b))`` is ``load(a, target=b)``.

        ``.npz``
            Features under ``X``, ``x``, ``data``, ``features`` or ``images``; labels, if any, under ``y``, ``Y``,
            ``target``, ``targets``, ``label`` or ``labels``.
        ``.npy`` and IDX
            One array. The labels are in a second file.
        ``.csv`` and ``.parquet``
            The first line of a CSV file has the names of the columns. Every column but the target is a feature.
            Needs pandas and pyarrow: ``pip install 'fastmlp[tables]'``.

        A file with ``idx`` in its name, such as ``train-images-idx3-ubyte``, is an IDX file. IDX and CSV files may be
        compressed as ``.gz`` or ``.xz``.
    target : str or path-like, optional
        Where the labels are. For a table: the name of a column. For an ``.npz`` file: a key, if it is none of the keys
        above. For an ``.npy`` or IDX file: the file (``.npy`` or IDX) of the labels. Without `target`, tables, ``.npy``
        and IDX files give no labels; prediction needs none.
    features : sequence of str, optional
        The columns of a table to use, in this order. Default: every column but the target. Pass the columns of the
        training data if another table may have more columns or another order.
    class_names : sequence, optional
        The labels in the order of their class indices. Pass the `class_names` of the training data when you load test
        data. Otherwise the labels that occur are sorted and numbered, and a class that is missing in the test data
        would change the indices of all later classes.

    Returns
    -------
    Dataset
        ``(X, y, class_names)``. X is (n, n_inputs); images and other arrays of more dimensions are flattened. y holds
        class indices as int64. `class_names` holds the original labels: integers, strings or booleans. Without labels,
        y and `class_names` are None.

    Raises
    ------
    ValueError
        The format is unknown, the file is damaged, or its content is not as described here.
    OSError
        The file does not exist or cannot be read.
    ImportError
        The file is a table and the ``tables`` extra is not installed.

    Examples
    --------
    >>> X, y, class_names = load("flowers.csv", target="species")      # doctest: +SKIP
    >>> X, y, class_names = load("train-images-idx3-ubyte.gz", target="train-labels-idx1-ubyte.gz")  # doctest: +SKIP
    >>> X, _, _ = load("measured.npy")      # doctest: +SKIP
    """
    path, target = _separated(path, target)
    _check_class_names(class_names)
    _check_features(features, path, target)
    values, found = _read(path, target, features)
    X = _as_features(values, f"{path}")
    if found is None:
        return Dataset(X, None, None)
    y, names = labels.class_indices(found, class_names, f"target ({path})" if target is None else f"target ({target})")
    if len(y) != len(X):
        raise ValueError(f"target: got {len(y):,} labels for {len(X):,} rows of {path}, expected one for each")
    return Dataset(X, y, names)


def _separated(path: Any, target: Any) -> tuple[Path, str | None]:
    if isinstance(path, (tuple, list)):
        if len(path) != 2 or target is not None:
            raise ValueError(
                f"path: got {len(path)} paths and target={target!r}, expected one path, or two and no target"
            )
        path, target = path
    for name, value in (("path", path), ("target", "" if target is None else target)):
        if not isinstance(value, (str, os.PathLike)):
            raise TypeError(f"{name}: got {value!r}, expected a string or a path")
    return Path(path), None if target is None else os.fspath(target)


def _check_class_names(class_names: Any) -> None:
    if class_names is None:
        return
    if isinstance(class_names, str) or not hasattr(class_names, "__len__"):
        raise TypeError(f"class_names: got {class_names!r}, expected a sequence of labels")
    if len(set(class_names)) < len(class_names) or len(class_names) == 0:
        raise ValueError(f"class_names: got {list(class_names)!r}, expected different labels, at least one")


def _check_features(features: Any, path: Path, target: str | None) -> None:
    if features is None:
        return
    if isinstance(features, str) or not all(isinstance(name, str) for name in features):
        raise TypeError(f"features: got {features!r}, expected a sequence of column names")
    if len(set(features)) < len(features) or len(features) == 0 or target in features:
        raise ValueError(
            f"features: got {list(features)!r}, expected different names, at least one, without the target ({target})"
        )
    if _format(path, "path") not in TABLES:
        raise ValueError(f"features: got {list(features)!r} for {path}, which names no columns; expected a table")


def _read(
    path: Path, target: str | None, features: Sequence[str] | None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    kind = _format(path, "path")
    if kind == ".npz":
        return arrays.read_npz(path, target)
    if kind in TABLES:
        return TABLES[kind](path, target, features)
    read = _array_reader(path, "path")
    if target is None:
        return read(path), None
    read_target = _array_reader(Path(target), "target")
    return read(path), read_target(Path(target))


def _array_reader(path: Path, argument: str) -> Callable[[Path], npt.NDArray[Any]]:
    kind = _format(path, argument)
    if kind not in (".npy", "idx"):
        raise ValueError(f"{argument}: got {path}, expected the labels in an .npy or IDX file, as the features are")
    return arrays.read_npy if kind == ".npy" else idx.read_idx


def _format(path: Path, argument: str) -> str:
    """Return ``.npz``, ``.npy``, ``.csv``, ``.parquet`` or ``idx`` for a file that exists."""
    packed = path.suffix.lower() in streams.PACKED
    suffix = Path(path.stem if packed else path.name).suffix.lower()
    if suffix == ".csv" or (suffix in (".npz", ".npy", ".parquet") and not packed):
        kind = suffix
    elif re.search(r"idx|ubyte", path.name.lower()):
        kind = "idx"
    else:
        raise ValueError(f"{argument}: unknown file format of {path}, expected {KNOWN_FORMATS}")
    if not path.exists():
        raise FileNotFoundError(f"{argument}: there is no file {path}")
    if path.is_dir():
        raise IsADirectoryError(f"{argument}: {path} is a folder, expected a file")
    return kind


def _as_features(values: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    if values.dtype.kind not in "iufb":
        raise ValueError(f"{where}: got features of dtype {values.dtype}, expected integers or floats")
    if values.ndim < 2:
        raise ValueError(f"{where}: got features of shape {values.shape}, expected (n, n_inputs), one row per sample")
    dtype = values.dtype.newbyteorder("=")
    if dtype.kind == "b":
        dtype = np.dtype(np.uint8)
    elif dtype.kind == "f" and dtype.itemsize not in (4, 8):
        dtype = np.dtype(np.float32 if dtype.itemsize < 4 else np.float64)
    return np.ascontiguousarray(values.reshape(len(values), -1), dtype)
