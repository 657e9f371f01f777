"""Batch norm: its settings, and how it disappears into the linear layers at prediction."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastmlp.inputs import checks

if TYPE_CHECKING:
    from fastmlp.mlp import MLP

PLACEMENTS = ("after_relu", "before_relu")


@dataclass(frozen=True)
class BatchNorm:
    """Normalise every hidden feature over the mini-batch: ``(a - mean) / sqrt(var + eps)``.

    Source: Ioffe & Szegedy 2015; ``var`` is the biased variance. In training the statistics are those of the
    mini-batch. At prediction they are running averages, ``running ← (1 - momentum) · running + momentum · batch``,
    so that the answer for one row does not depend on the rows beside it. A program that predicts with its training
    code normalises by the statistics of the evaluated set instead: the two agree for a large set that is distributed
    like the training data, and differ for small ones.

    Parameters
    ----------
    placement : {"after_relu", "before_relu"}
        Normalise the output of the ReLU, or its input.
    affine : bool
        Learn a scale γ and a shift β per feature after the normalisation.
    eps : float
        Added to the variance, above 0: a feature that is constant in a batch becomes 0.
    momentum : float
        Weight of the newest batch in the running statistics, above 0 and at most 1.

    Raises
    ------
    ValueError
        A parameter is out of its range.
    """

    placement: str = "after_relu"
    affine: bool = False
    eps: float = 1e-5
    momentum: float = 0.1

    def __post_init__(self) -> None:
        checks.one_of("placement", self.placement, PLACEMENTS)
        checks.flag("affine", self.affine)
        checks.positive("eps", self.eps)
        checks.in_unit_interval("momentum", self.momentum)


def folded(net: "MLP") -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Weights and biases of the plain network that predicts what `net` predicts with its running statistics.

    Before the ReLU, the normalisation scales the columns of its own layer; after it, the rows of the next one.
    """
    views = net.views
    weights, biases = ([array.astype(np.float64) for array in views[name]] for name in ("weights", "biases"))
    batch_norm = net.batch_norm
    if batch_norm is not None:
        for i, (mean, var) in enumerate(zip(views["running_means"], views["running_vars"], strict=True)):
            scale = 1 / np.sqrt(var.astype(np.float64) + batch_norm.eps)
            shift = -mean * scale
            if batch_norm.affine:
                scale = views["gammas"][i] * scale
                shift = views["gammas"][i] * shift + views["betas"][i]
            if batch_norm.placement == "before_relu":
                weights[i] = weights[i] * scale
                biases[i] = biases[i] * scale + shift
            else:
                biases[i + 1] = biases[i + 1] + shift @ weights[i + 1]
                weights[i + 1] = scale[:, None] * weights[i + 1]
    return [w.astype(net.dtype) for w in weights], [b.astype(net.dtype) for b in biases]
