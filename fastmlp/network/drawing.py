"""The initial weights and biases of a network, drawn by initialisers."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from fastmlp.init import Initialiser


def of_layers(name: str, value: Any, layers: int) -> list[Initialiser]:
    """Return the initialiser of each layer.

    Parameters
    ----------
    name : str
        What `value` is called in errors.
    value : callable or sequence of callable
        One initialiser for all layers, or one for each; or their classes, for the defaults.
    layers : int
        Number of layers.

    Raises
    ------
    TypeError, ValueError
        Something is no initialiser, or there are more or fewer than layers.
    """
    if not isinstance(value, Sequence) or isinstance(value, str):
        return layers * [_made(name, value)]
    if len(value) != layers:
        raise ValueError(f"{name} must be one initialiser or one for each of {layers} layers, got {len(value)}")
    return [_made(f"{name}[{i}]", item) for i, item in enumerate(value)]


def _made(name: str, value: Any) -> Initialiser:
    found = value() if isinstance(value, type) else value
    if not callable(found):
        raise TypeError(f"{name} must be an initialiser such as fastmlp.init.xavier(), got {value!r}")
    return cast(Initialiser, found)


def drawn(name: str, initialiser: Initialiser, rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Return what an initialiser draws; ValueError where that has another shape."""
    found = np.asarray(initialiser(rng, *shape))
    if found.shape != shape:
        raise ValueError(f"{name} must return an array {shape} for these widths, got {found.shape}")
    return found
