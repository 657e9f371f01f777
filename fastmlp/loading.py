"""Networks from files that `MLP.save` wrote."""

import os

from fastmlp import storage
from fastmlp.mlp import MLP
from fastmlp.network.parameters import named


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
    return built(storage.read(path), path)


def built(stored: storage.Stored, path: str | os.PathLike[str]) -> MLP:
    """Return the network that a file describes.

    Parameters
    ----------
    stored : Stored
        What the file holds.
    path : path-like
        For errors.

    Raises
    ------
    ValueError
        There is no such network.
    """
    try:
        net = MLP(**stored.settings)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} describes no network that fastmlp knows: {error!r}") from error
    net.class_names, net.feature_names = stored.class_names, stored.feature_names
    for name, target in named(net.views).items():
        target[:] = stored.arrays[name]
    return net
