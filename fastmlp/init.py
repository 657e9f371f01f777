"""Initialisers of weights and biases: small objects, called as ``initialiser(rng, n_in, n_out)``.

The biases of a layer are drawn as a matrix ``(1, n_out)``.
"""

import abc
import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fastmlp.inputs import checks


class Initialiser(Protocol):
    """What `MLP` takes as ``init``: anything that draws an ``(n_in, n_out)`` matrix."""

    def __call__(self, rng: np.random.Generator, n_in: int, n_out: int) -> np.ndarray:
        """Draw a matrix."""


@dataclass(frozen=True)
class simple:  # noqa: N801 - reads as a function where it is used
    """``scale · N(0, 1)``, whatever the widths.

    Parameters
    ----------
    scale : float
        Standard deviation, above 0.
    """

    scale: float = 0.05

    def __post_init__(self) -> None:
        checks.positive("scale", self.scale)

    def __call__(self, rng: np.random.Generator, n_in: int, n_out: int) -> np.ndarray:
        """Draw a matrix ``(n_in, n_out)``, float64."""
        return self.scale * rng.standard_normal((n_in, n_out))


@dataclass(frozen=True)
class _Gained(abc.ABC):
    """``gain`` times a standard deviation that follows from the widths, times N(0, 1)."""

    gain: float = 1.0

    def __post_init__(self) -> None:
        checks.positive("gain", self.gain)

    def __call__(self, rng: np.random.Generator, n_in: int, n_out: int) -> np.ndarray:
        """Draw a matrix ``(n_in, n_out)``, float64."""
        return self.gain * self._deviation(n_in, n_out) * rng.standard_normal((n_in, n_out))

    @staticmethod
    @abc.abstractmethod
    def _deviation(n_in: int, n_out: int) -> float: ...


class xavier(_Gained):  # noqa: N801
    """``gain · sqrt(2 / (n_in + n_out)) · N(0, 1)`` (Glorot & Bengio 2010).

    Parameters
    ----------
    gain : float
        Factor on the standard deviation, above 0; 0.5 gives the halved variant.
    """

    @staticmethod
    def _deviation(n_in: int, n_out: int) -> float:
        return math.sqrt(2 / (n_in + n_out))


class kaiming(_Gained):  # noqa: N801
    """``gain · sqrt(2 / n_in) · N(0, 1)`` (He et al. 2015).

    Parameters
    ----------
    gain : float
        Factor on the standard deviation, above 0; 0.5 gives the halved variant.
    """

    @staticmethod
    def _deviation(n_in: int, n_out: int) -> float:
        return math.sqrt(2 / n_in)


class lecun(_Gained):  # noqa: N801
    """``gain · sqrt(1 / n_in) · N(0, 1)`` (LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998).

    With SELU, activations keep their mean and variance from layer to layer (Klambauer, Unterthiner, Mayr and
    Hochreiter, "Self-Normalizing Neural Networks", 2017).

    Parameters
    ----------
    gain : float
        Factor on the standard deviation, above 0.
    """

    @staticmethod
    def _deviation(n_in: int, n_out: int) -> float:
        return math.sqrt(1 / n_in)


@dataclass(frozen=True)
class zeros:  # noqa: N801
    """0 everywhere: for biases, and for a last layer whose outputs are all alike at first."""

    def __call__(self, rng: np.random.Generator, n_in: int, n_out: int) -> np.ndarray:
        """Return a matrix ``(n_in, n_out)``, float64."""
        return np.zeros((n_in, n_out))


xavier_half = xavier(0.5)
kaiming_half = kaiming(0.5)
