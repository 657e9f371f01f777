"""A network from arrays that another library trained."""

from typing import Any, TypeVar

import numpy as np

from fastmlp.mlp import MLP

Network = TypeVar("Network", bound=MLP)


def assembled(kind: type[Network], arrays: dict[str, list[np.ndarray]], **settings: Any) -> Network:
    """Return a network with copies of `arrays`, which are grouped as in `MLP.arrays`.

    Parameters
    ----------
    kind : type
        MLP or a subclass.
    arrays : dict of lists of numpy.ndarray
        At least ``"weights"``, each ``(n_in, n_out)``; kinds that the network has none of may be missing.
    settings
        Further arguments of `MLP`; the widths and the dtype are those of the weights.

    Raises
    ------
    ValueError
        A value is not finite, or `MLP` refuses a setting.
    """
    weights = arrays["weights"]
    widths = [len(weights[0]), *(weight.shape[1] for weight in weights)]
    net = kind(widths, dtype=weights[0].dtype.name, init=_nothing_drawn, **settings)
    for name, group in net.arrays.items():
        for i, target in enumerate(group):
            target[:] = arrays[name][i]
            if not np.isfinite(target).all():
                raise ValueError(f"{name}[{i}] must be finite, got NaN or infinity")
    net.lent = False
    return net


def _nothing_drawn(rng: np.random.Generator, n_in: int, n_out: int) -> np.ndarray:
    return np.zeros((n_in, n_out))
