"""Networks as safetensors files: the arrays, and the architecture as metadata. Nothing is ever unpickled."""

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.batchnorm import BatchNorm
from fastmlp.inputs import checks
from fastmlp.network import Network
from fastmlp.network.parameters import named, parameter_shapes
from fastmlp.system.files import replaced_whole

FORMAT = "fastmlp-1"  # of networks with ReLU and softmax
# of files that do not say
DEFAULTS = {"activation": "relu", "output": "softmax", "dropout": 0.0, "input_factors": False}
FORMAT_2 = "fastmlp-2"  # of others: a reader that knows no other functions must not take one for the other
TABLES = "fastmlp-tables-1"  # of an estimator for tables with its networks


def save(network: Network, path: str | os.PathLike[str], **names: list[str] | None) -> None:
    """Write a network to `path`; see `MLP.save`. `names` are those of its classes and of its features."""
    functions = (network.architecture.activation, network.architecture.output)
    kind = FORMAT if functions == ("relu", "softmax") else FORMAT_2
    write(path, kind, description(network) | names, named(network.parameters.views))


def description(network: Network) -> dict[str, Any]:
    """Return the architecture of a network as values of JSON, which `stored` takes."""
    return dataclasses.asdict(network.architecture) | {"dtype": network.architecture.dtype.name}


def write(path: str | os.PathLike[str], kind: str, described: Any, arrays: dict[str, np.ndarray]) -> None:
    """Write a file of some kind: a description as JSON, and arrays by name."""
    from safetensors.numpy import save as to_bytes

    # one key: safetensors writes several in random order, and equal networks should make equal files
    content = to_bytes(arrays, {kind: json.dumps(described, allow_nan=False)})
    with replaced_whole(path) as temporary:
        temporary.write_bytes(content)


@dataclasses.dataclass(frozen=True)
class Stored:
    """What a file holds.

    Attributes
    ----------
    settings : dict
        Arguments of `MLP`.
    class_names, feature_names : list of str or None
        Of the network.
    arrays : dict of numpy.ndarray
        By name, such as ``"weights.0"``; of the shapes of such a network, and finite.
    """

    settings: dict[str, Any]
    class_names: list[str] | None
    feature_names: list[str] | None
    arrays: dict[str, np.ndarray]


def read(path: str | os.PathLike[str]) -> Stored:
    """Read what `save` wrote; see `fastmlp.load`."""
    with opened(path, FORMAT_2, FORMAT) as (file, text):
        return stored(path, file, _parsed(path, text))


@contextlib.contextmanager
def opened(path: str | os.PathLike[str], *kinds: str) -> Iterator[tuple[Any, str]]:
    """Yield a file of one of these kinds, and its description as text of JSON.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is another file, or not whole.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    with path.open("rb"):  # says what is wrong with the path itself in the system's words
        pass
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            text = next((metadata[kind] for kind in kinds if kind in metadata), None)
            if text is None:
                expected = " or ".join(map(repr, sorted(kinds)))
                reader = "; fastmlp.sklearn.load reads it" if TABLES in metadata else ""
                raise ValueError(
                    f"{path} is no fastmlp model: its metadata must hold {expected}, got {sorted(metadata)}{reader}"
                )
            yield file, text
    except SafetensorError as error:
        raise ValueError(f"{path} is not a complete safetensors file, as MLP.save writes: {error}") from error


def stored(path: str | os.PathLike[str], file: Any, described: dict[str, Any], prefix: str = "") -> Stored:
    """Return the network that a file holds.

    Parameters
    ----------
    path : path-like
        For errors.
    file : safetensors file
        Open.
    described : dict
        As `description` returns it.
    prefix : str
        Of the names of the network's arrays.

    Raises
    ------
    ValueError
        It describes no network, or the arrays are others.
    """
    described = _architecture(path, described)
    names = _check_shapes(path, file, described, prefix)
    arrays = {name: file.get_tensor(prefix + name) for name in names}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{path}: {name} must be finite, got NaN or infinity")
        if name.startswith("running_vars.") and array.min() < 0:
            raise ValueError(f"{path}: {name} must hold variances of at least 0, got {array.min()}")
    settings = {name: described[name] for name in ("widths", "batch_norm", "input_scale", "dtype")}
    settings |= {name: described.get(name, default) for name, default in DEFAULTS.items()}
    return Stored(settings, described["class_names"], described["feature_names"], arrays)


def _parsed(path: str | os.PathLike[str], text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path} describes no network that fastmlp knows: {error!r}") from error


def _architecture(path: str | os.PathLike[str], described: dict[str, Any]) -> dict[str, Any]:
    try:
        described = dict(described)
        described["widths"] = checks.widths(described["widths"])
        described["dtype"] = checks.network_dtype(described["dtype"])
        checks.positive("input_scale", described["input_scale"])
        if described["batch_norm"] is not None:
            described["batch_norm"] = BatchNorm(**described["batch_norm"])
        for name in ("class_names", "feature_names"):
            described[name] = _names(described.get(name))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} describes no network that fastmlp knows: {error!r}") from error
    return described


def _check_shapes(path: Any, file: Any, described: dict[str, Any], prefix: str) -> list[str]:
    """Compare the file's header with the architecture, before anything is allocated; return the arrays' names."""
    shapes = parameter_shapes(described["widths"], described["batch_norm"], described.get("input_factors", False))
    expected = {f"{name}.{i}": shape for name, group in shapes.items() for i, shape in enumerate(group)}
    names = {name.removeprefix(prefix) for name in file.keys() if name.startswith(prefix)}  # noqa: SIM118 - no mapping
    if names != set(expected):
        raise ValueError(f"{path} must hold the arrays {sorted(expected)}, got {sorted(names)}")
    dtype = {4: "F32", 8: "F64"}[described["dtype"].itemsize]
    for name, shape in expected.items():
        found = file.get_slice(prefix + name)
        if tuple(found.get_shape()) != shape or found.get_dtype() != dtype:
            got = f"{tuple(found.get_shape())} {found.get_dtype()}"
            raise ValueError(f"{path}: {name} must be {shape} {dtype}, got {got}")
    return list(expected)


def _names(value: Any) -> list[str] | None:
    if value is not None and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        raise ValueError(f"names must be a list of strings, got {value!r}")
    return value
