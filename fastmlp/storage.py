"""Networks as safetensors files: the arrays, and the architecture as metadata. Nothing is ever unpickled."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.arrays import named, parameter_shapes
from fastmlp.batchnorm import BatchNorm
from fastmlp.inputs import checks
from fastmlp.mlp import MLP
from fastmlp.system.files import replaced_whole

FORMAT = "fastmlp-1"  # of networks with ReLU and softmax
FORMAT_2 = "fastmlp-2"  # of others: a reader that knows no other functions must not take one for the other


def save(net: MLP, path: str | os.PathLike[str]) -> None:
    """Write `net` to `path`; see `MLP.save`."""
    from safetensors.numpy import save as to_bytes

    architecture = {
        "widths": net.widths,
        "activation": net.activation,
        "output": net.output,
        "dropout": net.dropout,
        "batch_norm": None if net.batch_norm is None else dataclasses.asdict(net.batch_norm),
        "input_scale": net.input_scale,
        "dtype": net.dtype.name,
        "class_names": net.class_names,
        "feature_names": net.feature_names,
    }
    # one key: safetensors writes several in random order, and equal networks should make equal files
    kind = FORMAT if (net.activation, net.output) == ("relu", "softmax") else FORMAT_2
    content = to_bytes(named(net.views), {kind: json.dumps(architecture)})
    with replaced_whole(path) as temporary:
        temporary.write_bytes(content)


def load(path: str | os.PathLike[str]) -> MLP:
    """Read a network that `MLP.save` wrote.

    Parameters
    ----------
    path : path-like
        A safetensors file.

    Returns
    -------
    MLP
        With the same bits in every parameter.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is truncated, was not written by fastmlp, or its arrays do not fit its architecture.
    """
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
            net = _network(path, described)
            for name, target in net.named_arrays().items():
                target[:] = file.get_tensor(name)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a complete safetensors file, as MLP.save writes: {error}") from error
    for name, array in net.named_arrays().items():
        if not np.isfinite(array).all():
            raise ValueError(f"{path}: {name} must be finite, got NaN or infinity")
    net.lent = False
    return net


def _architecture(path: Path, text: str) -> dict[str, Any]:
    try:
        described: dict[str, Any] = json.loads(text)
        described["widths"] = checks.widths(described["widths"])
        described["dtype"] = checks.network_dtype(described["dtype"])
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


def _network(path: Path, described: dict[str, Any]) -> MLP:
    try:
        net = MLP(
            described["widths"],
            activation=described.get("activation", "relu"),
            output=described.get("output", "softmax"),
            dropout=described.get("dropout", 0.0),
            batch_norm=described["batch_norm"],
            input_scale=described["input_scale"],
            dtype=described["dtype"],
        )
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} describes no network that fastmlp knows: {error!r}") from error
    net.class_names, net.feature_names = described["class_names"], described["feature_names"]
    return net


def _names(value: Any) -> list[str] | None:
    if value is not None and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        raise ValueError(f"names must be a list of strings, got {value!r}")
    return value
