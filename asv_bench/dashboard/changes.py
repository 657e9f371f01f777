"""The change points of a figure over the commits: where it changed, by how much, and how sure this is.

The method is PELT (Killick, Fearnhead and Eckley 2012, "Optimal detection of changepoints with a linear computational
cost", JASA 107), as `ruptures` computes it: the segmentation of the logarithms with the least sum of squares about the
means of the segments, plus a penalty for each change point. A permutation test as in Matteson and James (2014, "A
nonparametric approach for multiple change point analysis of multivariate data", JASA 109) then decides which change
points stay.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import ruptures
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

HOLD = 3  # commits that a level must hold
# with 0.01, 4 to 7 of 60 steady histories had a false alarm within 40 commits; with 0.003, 1 or 2
SIGNIFICANCE = 0.003  # largest p-value of a change point that stays
PERMUTATIONS = 999
INTERVAL = 0.95  # confidence of the interval of the size
PLACE = 0.99  # confidence of the range of commits


@dataclass(frozen=True)
class Change:
    """A change point.

    Attributes
    ----------
    start : int
        Index of the first value of the new level.
    earliest, latest : int
        The first value of the new level is one of these or between them.
    ratio : float
        The new level divided by the old one.
    low, high : float
        Confidence interval of the ratio.
    confidence : float
        1 minus the p-value of the permutation test.
    """

    start: int
    earliest: int
    latest: int
    ratio: float
    low: float
    high: float
    confidence: float


def find(values: list[float]) -> list[Change]:
    """Return the change points of positive values, oldest first."""
    y = np.log(np.asarray(values, dtype=np.float64))
    bounds = _pelt(y)
    while len(bounds) > 2:
        p = [_p_value(y[first:last], middle - first) for first, middle, last in _triples(bounds)]
        worst = int(np.argmax(p))
        if p[worst] <= SIGNIFICANCE:
            return [_change(y, *triple, 1 - chance) for triple, chance in zip(_triples(bounds), p, strict=True)]
        del bounds[worst + 1]
    return []


def noise(values: list[float]) -> float:
    """Return the standard deviation of the logarithms of values without regard to steps, by the median deviation.

    Half of all differences between neighbours are below the median, so a few steps hardly change it.
    """
    return _noise(np.log(np.asarray(values, dtype=np.float64)))


def _noise(y: Floats) -> float:
    return float(stats.median_abs_deviation(np.diff(y), scale="normal") / math.sqrt(2)) if len(y) > 1 else 0.0


def _pelt(y: Floats) -> list[int]:
    """Return the bounds of the segments, from 0 to the number of values."""
    if len(y) < 2 * HOLD:
        return [0, len(y)]
    scaled = y / max(_noise(y), 1e-6)  # no figure is known to a millionth
    penalty = 3 * math.log(len(y))  # of the modified BIC of Zhang and Siegmund (2007), Biometrics 63
    ends = ruptures.KernelCPD(kernel="linear", min_size=HOLD).fit(scaled[:, None]).predict(pen=penalty)
    return [0, *map(int, ends)]


def _triples(bounds: list[int]) -> list[tuple[int, int, int]]:
    """Return the start, the change point and the end of every two neighbouring segments."""
    return [(first, middle, last) for (first, middle), (_, last) in pairwise(pairwise(bounds))]


def _gaps(z: Floats) -> Floats:
    """Return the difference of the means before and after each possible change point, in the same unit of noise.

    `z` has the shape (series, values).
    """
    n = z.shape[1]
    before = np.arange(HOLD, n - HOLD + 1)
    sums = np.cumsum(z - z.mean(axis=1, keepdims=True), axis=1)[:, before - 1]
    gaps: Floats = np.abs(sums) * np.sqrt(n / (before * (n - before)))
    return gaps


def _p_value(z: Floats, split: int) -> float:
    """Return how often values in random order have a change point, anywhere, as large as the one at `split`."""
    observed = _gaps(z[None])[0, split - HOLD]
    shuffled = np.random.default_rng(0).permuted(np.tile(z, (PERMUTATIONS, 1)), axis=1)
    return float((1 + np.sum(_gaps(shuffled).max(axis=1) >= observed - 1e-12)) / (1 + PERMUTATIONS))


def _change(y: Floats, first: int, middle: int, last: int, confidence: float) -> Change:
    old, new = y[first:middle], y[middle:last]
    freedom = len(old) + len(new) - 2
    # Student's interval of the difference of two means with the same variance
    variance = (old.var() * len(old) + new.var() * len(new)) / freedom
    margin = stats.t(freedom).ppf((1 + INTERVAL) / 2) * math.sqrt(variance * (1 / len(old) + 1 / len(new)))
    size = new.mean() - old.mean()
    earliest, latest = _range(y[first:last], middle - first)
    low, high = math.exp(size - margin), math.exp(size + margin)
    return Change(int(middle), first + earliest, first + latest, math.exp(size), low, high, confidence)


def _range(z: Floats, split: int) -> tuple[int, int]:
    """Return the first and the last change point that explain the values nearly as well as `split`, by the likelihood.

    It is the confidence set of Siegmund (1988), "Confidence sets in change-point problems", Int. Stat. Review 56.
    """
    splits = np.arange(1, len(z))
    squares = np.array([z[:k].var() * k + z[k:].var() * (len(z) - k) for k in splits])
    variance = squares[split - 1] / max(len(z) - 2, 1)
    likely = splits[squares - squares[split - 1] <= variance * stats.chi2(1).ppf(PLACE)]
    return int(min(likely.min(), split)), int(max(likely.max(), split))
