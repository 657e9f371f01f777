"""The network inside an estimator: scikit-learn's initial weights, and its arrays as scikit-learn shows them."""

import math
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

from fastmlp.batchnorm import BatchNorm
from fastmlp.init import zeros
from fastmlp.mlp import MLP


class Arrays(list[np.ndarray]):
    """A list of a network's weights or biases. Setting an item copies the array into the network."""

    def __setitem__(self, index: SupportsIndex | slice, value: Any) -> None:
        if isinstance(index, slice):
            for array, new in zip(self[index], value, strict=True):
                array[...] = new
        else:
            self[index][...] = value


def build(
    widths: Sequence[int],
    output: str,
    dtype: np.dtype,
    rng: np.random.RandomState,
    *,
    activation: str,
    dropout: Any,
    batch_norm: bool | BatchNorm,
) -> MLP:
    """Return a network whose weights and biases are drawn as scikit-learn draws them.

    They are uniform within ±√(6 / (n_in + n_out)), or ±√(2 / (n_in + n_out)) with the logistic activation: Glorot and
    Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010). In every layer the
    weights are drawn before the biases, in float64.
    """
    if isinstance(batch_norm, (bool, np.bool_)):
        norm = BatchNorm() if batch_norm else None
    else:
        norm = batch_norm
    net = MLP(
        widths, activation=activation, output=output, dropout=dropout, batch_norm=norm, init=zeros(), dtype=str(dtype)
    )
    factor = 2.0 if activation == "logistic" else 6.0
    for weight, bias in zip(net.views["weights"], net.views["biases"], strict=True):
        bound = math.sqrt(factor / sum(weight.shape))
        weight[:] = rng.uniform(-bound, bound, weight.shape)
        bias[:] = rng.uniform(-bound, bound, bias.shape)
    return net
