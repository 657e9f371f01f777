"""Networks as safetensors files: the arrays, and the architecture as metadata. Nothing is ever unpickled."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.batchnorm import BatchNorm
from fastmlp.inputs import checks
from fastmlp.network import Network
from fastmlp.network.parameters import named, parameter_shapes
from fastmlp.system.files import replaced_whole

FORMAT = "fastmlp-1"  # of networks with ReLU and softmax
DEFAULTS = {"activation": "relu", "output": "softmax", "dropout": 0.0}  # of files that do not say
FORMAT_2 = "fastmlp-2"  # of others: a reader that knows no other functions must not take one for the other


def save(network: Network, path: str | os.PathLike[str], **names: list[str] | None) -> None:
    """Write a network to `path`; see `MLP.save`. `names` are those of its classes and of its features."""
    from safetensors.numpy import save as to_bytes

    described = dataclasses.asdict(network.architecture) | {"dtype": network.architecture.dtype.name} | names
    # one key: safetensors writes several in random order, and equal networks should make equal files
    functions = (network.architecture.activation, network.architecture.output)
    kind = FORMAT if functions == ("relu", "softmax") else FORMAT_2
    content = to_bytes(named(network.parameters.views), {kind: json.dumps(described)})
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
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    with path.open("rb"):  # says what is wrong with the path itself in the system's words
        pass
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            text = metadata.get(FORMAT_2, metadata.get(FORMAT))
            if text is None:
                expected = f"{FORMAT!r} or {FORMAT_2!r}"
                raise ValueError(
                    f"{path} is no fastmlp model: its metadata must hold {expected}, got {sorted(metadata)}"
                )
            described = _architecture(path, text)
            _check_shapes(path, file, described)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise ValueError(f"{path} is not a complete safetensors file, as MLP.save writes: {error}") from error
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{path}: {name} must be finite, got NaN or infinity")
        if name.startswith("running_vars.") and array.min() < 0:
            raise ValueError(f"{path}: {name} must hold variances of at least 0, got {array.min()}")
    settings = {name: described[name] for name in ("widths", "batch_norm", "input_scale", "dtype")}
    settings |= {name: described.get(name, default) for name, default in DEFAULTS.items()}
    return Stored(settings, described["class_names"], described["feature_names"], arrays)


def _architecture(path: Path, text: str) -> dict[str, Any]:
    try:
        described: dict[str, Any] = json.loads(text)
        described["widths"] = checks.widths(described["widths"])
        described["dtype"] = checks.network_dtype(described["dtype"])
        checks.positive("input_scale", described["input_scale"])
        if described["batch_norm"] is not None:
            described["batch_norm"] = BatchNorm(**described["batch_norm"])
        for name in ("class_names", "feature_names"):
            described[name] = _names(described[name])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} describes no network that fastmlp knows: {error!r}") from error
    return described


def _check_shapes(path: Path, file: Any, described: dict[str, Any]) -> None:
    """Compare the file's header with the architecture, before anything is allocated."""
    shapes = parameter_shapes(described["widths"], described["batch_norm"])
    expected = {f"{name}.{i}": shape for name, group in shapes.items() for i, shape in enumerate(group)}
    if set(file.keys()) != set(expected):
        raise ValueError(f"{path} must hold the arrays {sorted(expected)}, got {sorted(file.keys())}")
    dtype = {4: "F32", 8: "F64"}[described["dtype"].itemsize]
    for name, shape in expected.items():
        found = file.get_slice(name)
        if tuple(found.get_shape()) != shape or found.get_dtype() != dtype:
            got = f"{tuple(found.get_shape())} {found.get_dtype()}"
            raise ValueError(f"{path}: {name} must be {shape} {dtype}, got {got}")


def _names(value: Any) -> list[str] | None:
    if value is not None and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        raise ValueError(f"names must be a list of strings, got {value!r}")
    return value
