"""``fastmlp info MODEL``: what a file of a model holds, a network or a model of tables."""

import json
from pathlib import Path
from typing import Any

from fastmlp import storage
from fastmlp.cli import output
from fastmlp.cli.tabular import columns
from fastmlp.system import extras

SHOWN = 12  # names of a list


def is_tabular(path: Path) -> bool:
    """Whether a file holds a model of tables, and not a network alone.

    Raises
    ------
    ValueError, OSError
        It is no file of fastmlp.
    """
    with storage.opened(path, storage.TABLES, storage.FORMAT_2, storage.FORMAT) as (file, _):
        return storage.TABLES in file.metadata()


def tabular_model(path: Path) -> Any:
    """Return the model of tables that a file holds; scikit-learn must be there."""
    extras.require("sklearn", extra="sklearn")
    from fastmlp.sklearn import load

    return load(path)


def collect(path: Path) -> dict[str, Any]:
    """Return what a file holds, as plain values."""
    return of_tables(path) if is_tabular(path) else of_network(path)


def of_network(path: Path) -> dict[str, Any]:
    """Return what is in the file of a network."""
    found = storage.read(path)
    settings = found.settings
    norm = settings["batch_norm"]
    return {
        "file": path,
        "holds": "network",
        **settings,
        "dtype": str(settings["dtype"]),
        "batch_norm": norm and f"{norm.placement}{', affine' if norm.affine else ''}",
        "parameters": sum(array.size for array in found.arrays.values()),
        "classes": found.class_names,
        "features": found.feature_names,
    }


def of_tables(path: Path) -> dict[str, Any]:
    """Return what is in the file of a model of tables."""
    model = tabular_model(path)
    with storage.opened(path, storage.TABLES) as (_, text):
        version = json.loads(text).get("fastmlp")
    net = model.networks_[0]
    classes = model.classes_.tolist() if hasattr(model, "classes_") else None
    return {
        "file": path,
        "holds": type(model).__name__,
        "written_by": version and f"fastmlp {version}",
        "recipe": "tabular",
        "target": model.target_name_,
        "task": "regression" if classes is None else "classification",
        "classes": classes,
        "range": None if classes is not None else model.target_range_[:, 0],
        "networks": len(model.networks_),
        "widths": list(net.widths),
        "activation": net.activation,
        "parameters": sum(one.n_parameters for one in model.networks_),
        "settings": {name: value for name, value in model.get_params().items() if name not in ("threads", "progress")},
        "columns": columns.described(model.encoder_),
    }


def lines(found: dict[str, Any], *, every: bool) -> list[str]:
    """Return what `collect` found as lines of text."""
    rows = []
    for name, value in found.items():
        if value is not None and name != "columns":
            rows.append((name.replace("_", " "), shown(name, value)))
    text = output.aligned(rows, left=(0, 1))
    return text + (["", *columns.lines(found["columns"], every=every)] if "columns" in found else [])


def shown(name: str, value: Any) -> str:
    """Return a value for reading."""
    if name == "widths":
        return "-".join(map(str, value))
    if name == "range":
        return f"{value[0]:g} to {value[1]:g}"
    if name in ("classes", "features"):
        return f"{len(value)}: {columns.listed(value, len(value), SHOWN)}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {setting}" for key, setting in value.items() if setting is not None)
    return f"{value:,}" if name == "parameters" else str(value)
