"""Mean and spread of numbers that are counted in two places."""

import numpy as np


def joined(
    weights: tuple[float, float], means: tuple[np.ndarray, np.ndarray], spreads: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the spread of two sets of numbers together.

    Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances" (1979).

    Parameters
    ----------
    weights : tuple of float
        Of each set, in all; their sum is above 0.
    means, spreads : tuple of numpy.ndarray (n_columns,)
        Of each set, float64: the means, and the weighted sums of the squared distances from them.
    """
    (own, other), total = weights, sum(weights)
    apart = means[1] - means[0]
    return means[0] + apart * (other / total), spreads[0] + spreads[1] + np.square(apart) * (own * other / total)
