"""The construction of a network from arrays of another library."""

from typing import Any, TypeVar, cast

import numpy as np

from fastmlp.init import zeros
from fastmlp.network.parameters import Arrays

Network = TypeVar("Network")


def assembled(kind: type[Network], arrays: Arrays, **settings: Any) -> Network:
    """Return a network with copies of `arrays`.

    Parameters
    ----------
    kind : type
        `MLP` or a subclass.
    arrays : dict of lists of numpy.ndarray
        The arrays of each kind, with the keys of `MLP.arrays`. ``"weights"``, each ``(n_in, n_out)``, must be there.
        Kinds that the network does not have may be missing.
    settings
        Further arguments of `MLP`. The widths and the dtype are those of the weights.

    Raises
    ------
    ValueError
        A value is not finite, or `MLP` refuses a setting.
    """
    weights = arrays["weights"]
    widths = [len(weights[0]), *(weight.shape[1] for weight in weights)]
    make: Any = kind
    net = make(widths, dtype=weights[0].dtype.name, init=zeros(), **settings)
    for name, group in net.views.items():
        for i, target in enumerate(group):
            target[:] = arrays[name][i]
            if not np.isfinite(target).all():
                raise ValueError(f"{name}[{i}] must be finite, got NaN or infinity")
    return cast(Network, net)
