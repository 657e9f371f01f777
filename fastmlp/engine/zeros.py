"""Whether leaving out the zeros of the data pays."""

import numpy as np

from fastmlp.inputs.sparse import Matrix
from fastmlp.kernels.nonzero import HEIGHT

SAMPLE = 64  # rows
LEAST = 16  # columns: with fewer, the first layer is not where the time goes
# of all terms: with more, the lists take as long as they save, which with few outputs is less
MOST, MOST_NARROW, NARROW = 0.6, 0.35, 64


def mostly_zeros(x: Matrix, n_out: int) -> bool:
    """Whether leaving out zeros pays for data ``x (n, n_in)`` and a first layer of `n_out` outputs.

    It looks at a sample of the rows, in 50 to 170 µs.
    """
    if len(x) < HEIGHT or x.shape[1] < LEAST:
        return False
    some = np.asarray(x[np.linspace(0, len(x) - 1, min(len(x), SAMPLE)).astype(np.int64)]) != 0
    return (_left(some) + _left(some.T)) / 2 < (MOST_NARROW if n_out < NARROW else MOST)


def _left(factors: np.ndarray) -> float:
    """The share of the terms that are not zero in all of as many neighbours as a tile has rows."""
    stop = len(factors) // HEIGHT * HEIGHT
    return float(np.logical_or.reduce([factors[i:stop:HEIGHT] for i in range(HEIGHT)]).mean())
