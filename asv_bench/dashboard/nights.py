"""The noise of a night: what the speed of the machine in the same run explains is taken out of a figure.

A control variate is a quantity that a change of the code cannot change, and that the noise changes together with the
figure: the FMA peak and the time of a barrier. What it explains is estimated from the differences between successive
commits, of which most have no change of the code in between. The slope is that of Theil and Sen (Sen 1968, "Estimates
of the regression coefficient based on Kendall's tau", JASA 63): the median of the slopes of all pairs, so steps of the
figure do not matter.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
FEWEST = 8  # differences between commits that are needed for a slope


def factors(values: Sequence[float], variates: Sequence[Sequence[float | None]]) -> tuple[list[float], list[float]]:
    """Return by how much the night slowed down every value, and the share of each variate.

    Parameters
    ----------
    values : sequence of float
        The figure of each commit.
    variates : sequence of sequences of float or None
        The variates, each with a value for each commit, or None if it was not measured with this commit. A larger value
        means a slower machine.

    Returns
    -------
    factors : list of float
        A value divided by its factor is what a night of median speed would have shown.
    shares : list of float
        The exponents of the variates, from 0 (explains nothing) to 1 (the figure is proportional to it).
    """
    y, total, shares = np.log(np.asarray(values, dtype=np.float64)), np.zeros(len(values)), []
    for variate in variates:
        x = np.array([math.nan if value is None else math.log(value) for value in variate])
        shares.append(_share(y - total, x))
        if shares[-1]:
            total += shares[-1] * np.nan_to_num(x - np.nanmedian(x))
    return [float(factor) for factor in np.exp(total)], shares


def _share(y: Floats, x: Floats) -> float:
    differences = np.diff(np.column_stack([x, y]), axis=0)
    dx, dy = differences[np.isfinite(differences[:, 0])].T
    if len(dx) < FEWEST or not dx.any():
        return 0.0
    return float(np.clip(stats.theilslopes(dy, dx).slope, 0, 1))
