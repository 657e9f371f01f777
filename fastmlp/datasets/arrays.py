"""NumPy's files `.npy` and `.npz`. Nothing is unpickled, and no size that a header claims is trusted."""

import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastmlp.datasets.streams import Readable, opened, read_up_to, read_values

FEATURE_KEYS = ("X", "x", "data", "features", "images")
LABEL_KEYS = ("y", "Y", "target", "targets", "label", "labels")


def read_npy(path: Path) -> npt.NDArray[Any]:
    """Read the array of an ``.npy`` file."""
    with opened(path) as stream:
        return _read_array(stream, str(path))


def read_npz(path: Path, target: str | None) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Read features and labels from an ``.npz`` file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    target : str or None
        The key of the labels. None takes the key of `LABEL_KEYS` that the file has, if it has one.

    Returns
    -------
    features, labels : ndarray, ndarray or None
        The array under the key of `FEATURE_KEYS` that the file has, and the labels.
    """
    with opened(path) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                return _read_archive(archive, path, target)
        except (EOFError, NotImplementedError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            # an encrypted member raises RuntimeError, a seek to a negative position OSError
            raise ValueError(
                f"{path}: truncated or damaged, expected an archive as np.savez writes it ({error})"
            ) from error


def _read_archive(
    archive: zipfile.ZipFile, path: Path, target: str | None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
    keys = [name.removesuffix(".npy") for name in archive.namelist()]
    feature_key = _only(FEATURE_KEYS, keys, path, "of the features")
    if feature_key is None:
        raise ValueError(f"{path}: found the keys {_listed(keys)}, expected one of {_listed(FEATURE_KEYS)}")
    if target is None:
        target = _only(LABEL_KEYS, keys, path, "of the labels; choose one as target")
    elif target not in keys:
        raise ValueError(f"target: no key {target!r} in {path}, expected one of {_listed(keys)}")
    features = _read_member(archive, feature_key, path)
    return features, None if target is None else _read_member(archive, target, path)


def _only(wanted: Iterable[str], keys: list[str], path: Path, what: str) -> str | None:
    found = [key for key in wanted if key in keys]
    if len(found) > 1:
        raise ValueError(f"{path}: found the keys {_listed(found)}, expected only one {what}")
    return found[0] if found else None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names)) or "none"


def _read_member(archive: zipfile.ZipFile, key: str, path: Path) -> npt.NDArray[Any]:
    name = f"{key}.npy" if f"{key}.npy" in archive.namelist() else key
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotImplementedError(f"{name} is packed by another method")
    with archive.open(name) as stream:
        return _read_array(stream, f"{path}[{key!r}]")


def _read_array(stream: Readable, where: str) -> npt.NDArray[Any]:
    shape, fortran_order, dtype = read_header(stream, where)
    if dtype.hasobject:
        raise ValueError(f"{where}: dtype {dtype} would have to be unpickled, expected numbers or strings")
    values = read_values(stream, shape, dtype, where)
    return values.reshape(shape[::-1]).T if fortran_order else values.reshape(shape)


class _Header:
    """A stream whose `read` takes no more memory than the stream has bytes."""

    def __init__(self, stream: Readable) -> None:
        self.stream = stream

    def read(self, size: int) -> bytes:
        return bytes(read_up_to(self.stream, size))


def read_header(stream: Readable, where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether the order is Fortran's, and dtype; `stream` stands behind the header then."""
    file: Any = _Header(stream)
    try:
        version = np.lib.format.read_magic(file)
        # version 3 differs from version 2 only in the encoding of field names
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        return read(file)
    except Exception as error:  # NumPy evaluates the header as a Python literal, which can raise many types of errors
        raise ValueError(f"{where}: expected an array as np.save writes it ({error})") from error
