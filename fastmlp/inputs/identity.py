"""What a training was asked for, as plain values: by them a checkpoint knows whose it is."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fastmlp.inputs.sparse import Matrix, plain

SAMPLED_ROWS = 1000  # of data, so that a digest of a data set takes a millisecond, whatever its size
SHOWN = 5  # differences that an error names


def described(value: Any) -> Any:
    """Return a setting as values of JSON.

    Objects become their class and their attributes, functions their names, generators and arrays digests.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, np.ndarray):
        return rows_described(value)
    if isinstance(value, np.random.Generator):
        return _generator(value.bit_generator.state)
    if isinstance(value, np.random.RandomState):
        return _generator(value.get_state(legacy=False))
    if isinstance(value, Mapping):
        return {str(name): described(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [described(item) for item in value]
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if dataclasses.is_dataclass(value) or hasattr(value, "__dict__"):
        return {"type": type(value).__qualname__, **described(vars(value))}
    return repr(value)


def rows_described(x: Matrix | None) -> Any:
    """Return the shape, the dtype and a digest of some evenly spaced rows."""
    if x is None:
        return None
    step = max(1, len(x) // SAMPLED_ROWS)
    rows = plain(x[np.arange(0, len(x), step)])
    parts = [rows] if isinstance(rows, np.ndarray) else [rows.data, rows.indices, rows.indptr]
    content = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
    return {"shape": list(x.shape), "dtype": x.dtype.name, "rows": _digest(content)}


def differences(there: Any, here: Any, places: tuple[str, str] = ("there", "here")) -> list[str]:
    """Return in what two descriptions differ, one phrase for each setting, which names the places of the two."""
    old, new = dict(_leaves(there)), dict(_leaves(json.loads(json.dumps(here))))
    names = [name for name in {**old, **new} if old.get(name, "absent") != new.get(name, "absent")]
    found = [
        f"{name} is {old.get(name, 'absent')!r} {places[0]}, {new.get(name, 'absent')!r} {places[1]}" for name in names
    ]
    return found if len(found) <= SHOWN else [*found[:SHOWN], f"and {len(found) - SHOWN} more"]


def plain_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of a generator of NumPy as values of JSON."""
    return {name: _plain(value) for name, value in state.items()}


def state_like(state: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `plain_state` returned as a state again; `known` is one of such a generator.

    Raises
    ------
    ValueError
        It is the state of another kind of generator.
    """
    if set(state) != set(known) or state.get("bit_generator") != known.get("bit_generator"):
        raise ValueError(f"expected the state of a {known['bit_generator']}, got {sorted(state)}")
    return {name: _like(state[name], value) for name, value in known.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain_state(value)
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def _like(value: Any, known: Any) -> Any:
    if isinstance(known, Mapping):
        return {name: _like(value[name], item) for name, item in known.items()}
    return np.array(value, known.dtype) if isinstance(known, np.ndarray) else value


def _generator(state: Mapping[str, Any]) -> str:
    return f"a generator of state {_digest(json.dumps(plain_state(state), sort_keys=True).encode())}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of nested dicts with dotted names."""
    if not isinstance(value, dict):
        yield name, value
        return
    for key, item in value.items():
        yield from _leaves(item, f"{name}.{key}" if name else key)
