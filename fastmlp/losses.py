"""Losses: what training minimises, as plain settings. The arithmetic is in `fastmlp.kernels.losses`."""

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

from fastmlp.inputs import checks


class Loss(ABC):
    """What `fastmlp.train` minimises: the mean over the rows, weighted where rows have weights, of a sum over outputs.

    Attributes
    ----------
    output : str
        The network's output function that the loss belongs to.
    kernel : str
        Name of the compiled function.
    parameter : float
        Its parameter.
    """

    output: ClassVar[str]
    kernel: ClassVar[str]

    @property
    def parameter(self) -> float:
        """The parameter of the compiled function."""
        return 0.0


@dataclass(frozen=True)
class _Smoothed(Loss):
    """A loss whose targets are smoothed."""

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        checks.fraction("label_smoothing", self.label_smoothing)

    @property
    def parameter(self) -> float:
        """ε."""
        return float(self.label_smoothing)


@dataclass(frozen=True)
class CrossEntropy(_Smoothed):
    """Cross-entropy of class indices: ``-Σ target · log(softmax(z))``, for softmax outputs.

    Parameters
    ----------
    label_smoothing : float
        ε, at least 0 and below 1: the target is ``1 - ε`` for the row's class, and ``ε / n_classes`` is added to all
        classes (Szegedy et al., "Rethinking the Inception Architecture", 2016).

    Raises
    ------
    ValueError
        The smoothing is out of its range.
    """

    output: ClassVar[str] = "softmax"
    kernel: ClassVar[str] = "cross_entropy"


@dataclass(frozen=True)
class BinaryCrossEntropy(_Smoothed):
    """Cross-entropy of each output with a target from 0 to 1, for logistic outputs: ``-t log p - (1 - t) log(1 - p)``.

    Parameters
    ----------
    label_smoothing : float
        ε, at least 0 and below 1: the target is ``(1 - ε) t + ε/2``.

    Raises
    ------
    ValueError
        The smoothing is out of its range.
    """

    output: ClassVar[str] = "logistic"
    kernel: ClassVar[str] = "binary_cross_entropy"


@dataclass(frozen=True)
class SquaredError(Loss):
    """``½ (z - t)²``, for identity outputs."""

    output: ClassVar[str] = "identity"
    kernel: ClassVar[str] = "squared_error"


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """``|z - t|``, for identity outputs; its minimum is the median."""

    output: ClassVar[str] = "identity"
    kernel: ClassVar[str] = "absolute_error"


@dataclass(frozen=True)
class Huber(Loss):
    """``½ (z - t)²`` up to a distance δ and ``δ (|z - t| - δ/2)`` beyond, for identity outputs (Huber, 1964).

    Parameters
    ----------
    delta : float
        δ, above 0.

    Raises
    ------
    ValueError
        δ is out of its range.
    """

    delta: float = 1.0
    output: ClassVar[str] = "identity"
    kernel: ClassVar[str] = "huber"

    def __post_init__(self) -> None:
        checks.positive("delta", self.delta)

    @property
    def parameter(self) -> float:
        """δ."""
        return float(self.delta)


@dataclass(frozen=True)
class Poisson(Loss):
    """Half the Poisson deviance, ``t log(t/p) - t + p`` for targets of at least 0, for outputs ``p = exp(z)``."""

    output: ClassVar[str] = "exp"
    kernel: ClassVar[str] = "poisson"


_DEFAULTS: dict[str, Loss] = {
    loss.output: loss for loss in (CrossEntropy(), BinaryCrossEntropy(), SquaredError(), Poisson())
}


def default(output: str) -> Loss:
    """Return the loss that belongs to an output function.

    Parameters
    ----------
    output : {"softmax", "logistic", "identity", "exp"}
        The output function of a network.

    Returns
    -------
    Loss
        Cross-entropy, binary cross-entropy, squared error or Poisson, without smoothing.
    """
    return _DEFAULTS[output]
