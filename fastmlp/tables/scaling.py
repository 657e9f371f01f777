"""Inputs brought to one scale: centred at the median, divided by a spread, and smoothly clipped."""

from dataclasses import dataclass
from typing import Any

import numpy as np

QUARTILES = (0.25, 0.5, 0.75)
LIMIT = 3.0  # no input is further from 0
FAR = 1e100  # whose square is finite; an input so far out is at the limit
STEEPEST = 1e300  # so that a factor times 0 is 0


@dataclass(frozen=True)
class Scaling:
    """``z = factor · (x - centre)`` and then ``z / √(1 + (z / 3)²)``, which lies between -3 and 3.

    The preprocessing of Holzmüller, Grinsztajn and Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted
    Trees on Tabular Data" (2024). The centre is the median. The factor is 1 divided by the distance of the quartiles,
    or by half of the range where the quartiles are equal; it is 0 for an input that is constant.

    Attributes
    ----------
    centre, factor : numpy.ndarray (n_inputs,)
        float64, finite.
    """

    centre: np.ndarray
    factor: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the scaled inputs ``(n, n_inputs)`` of ``x (n, n_inputs)``, float32; NaN becomes 0, the median."""
        with np.errstate(over="ignore"):
            z = np.clip((x - self.centre) * self.factor, -FAR, FAR)
        z[np.isnan(z)] = 0.0
        clipped: np.ndarray = z / np.sqrt(1.0 + (z / LIMIT) ** 2)
        return clipped.astype(np.float32)

    @property
    def varies(self) -> np.ndarray:
        """For each input whether it is not constant in training."""
        return self.factor > 0

    def of(self, inputs: np.ndarray) -> "Scaling":
        """Return the scaling of some of the inputs."""
        return Scaling(self.centre[inputs], self.factor[inputs])

    def described(self) -> dict[str, Any]:
        """Return it as values of JSON, without loss."""
        return {"centre": self.centre.tolist(), "factor": self.factor.tolist()}


NOTHING = Scaling(np.zeros(0), np.zeros(0))  # of no inputs


def learned(x: np.ndarray, weights: np.ndarray) -> Scaling:
    """Return the scaling of inputs.

    Parameters
    ----------
    x : numpy.ndarray (n, n_inputs)
        Training rows, without gaps.
    weights : numpy.ndarray (n,)
        How often each of them counts, above 0.
    """
    found = [_of_input(column, weights) for column in x.T]
    centre, factor = np.array(found).reshape(-1, 2).T
    return Scaling(centre.copy(), factor.copy())


def _of_input(x: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    order = np.argsort(x, kind="stable")
    ordered, counted = x[order], np.cumsum(weights[order])
    # the smallest value that at least this share of the weight does not exceed: a row of weight 2 is two rows
    places = np.searchsorted(counted, np.array(QUARTILES) * counted[-1] * (1 - 1e-12))
    low, middle, high = ordered[np.minimum(places, len(ordered) - 1)].tolist()
    half = high / 2 - low / 2  # halves, as a difference may be beyond the largest number
    if half > 0:
        return middle, min(0.5 / half, STEEPEST)
    spread = ordered[-1].item() / 2 - ordered[0].item() / 2
    return middle, min(1.0 / spread, STEEPEST) if spread > 0 else 0.0
