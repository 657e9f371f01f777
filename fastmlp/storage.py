"""Networks as safetensors files: the arrays, and the architecture as metadata. Nothing is ever unpickled."""

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp.batchnorm import BatchNorm
from fastmlp.files import replaced_whole

if TYPE_CHECKING:
    from fastmlp.mlp import MLP

FORMAT = "fastmlp-1"


def save(net: "MLP", path: str | os.PathLike[str]) -> None:
    """Write `net` to `path`; see `MLP.save`."""
    from safetensors.numpy import save as to_bytes

    architecture = {
        "widths": net.widths,
        "batch_norm": None if net.batch_norm is None else dataclasses.asdict(net.batch_norm),
        "input_scale": net.input_scale,
        "dtype": net.dtype.name,
        "class_names": net.class_names,
        "feature_names": net.feature_names,
    }
    content = to_bytes(net.named_arrays(), {"format": FORMAT, "architecture": json.dumps(architecture)})
    with replaced_whole(path) as temporary:
        temporary.write_bytes(content)


def load(path: str | os.PathLike[str]) -> "MLP":
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
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except SafetensorError as error:
        raise ValueError(f"{path} is not a complete safetensors file, as MLP.save writes: {error}") from error
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is not a fastmlp model: its format is {metadata.get('format')!r}, not {FORMAT!r}")
    net = _network(path, metadata.get("architecture", ""))
    _fill(path, net, arrays)
    return net


def _network(path: Path, text: str) -> "MLP":
    from fastmlp.mlp import MLP

    try:
        described: dict[str, Any] = json.loads(text)
        batch_norm = described["batch_norm"]
        net = MLP(
            described["widths"],
            batch_norm=None if batch_norm is None else BatchNorm(**batch_norm),
            input_scale=described["input_scale"],
            dtype=described["dtype"],
        )
        net.class_names, net.feature_names = _names(described["class_names"]), _names(described["feature_names"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} describes no network that fastmlp knows: {error!r}") from error
    return net


def _names(value: Any) -> list[str] | None:
    if value is not None and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        raise ValueError(f"names must be a list of strings, got {value!r}")
    return value


def _fill(path: Path, net: "MLP", arrays: dict[str, np.ndarray]) -> None:
    expected = net.named_arrays()
    if arrays.keys() != expected.keys():
        raise ValueError(f"{path} must hold the arrays {sorted(expected)}, got {sorted(arrays)}")
    for name, target in expected.items():
        found = arrays[name]
        if found.shape != target.shape or found.dtype != target.dtype:
            wanted = f"{target.shape} {target.dtype}"
            raise ValueError(f"{path}: {name} must be {wanted}, got {found.shape} {found.dtype}")
        if not np.isfinite(found).all():
            raise ValueError(f"{path}: {name} must be finite, got NaN or infinity")
        target[:] = found
