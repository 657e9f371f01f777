"""Batch norm: its settings."""

from dataclasses import dataclass

from fastmlp.inputs import checks

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
