"""Whether leaving out the zeros of the data pays."""

import numpy as np

from fastmlp.inputs.encoded import Gathered
from fastmlp.kernels.nonzero import HEIGHT

SAMPLE = 64  # rows that are looked at
LEAST = 16  # columns; with fewer, the first layer takes little of the time
# Greatest share of the terms that may be left, in general and where the layer has fewer than `NARROW` outputs. With
# more, making the lists takes as long as they save.
MOST, MOST_NARROW, NARROW = 0.6, 0.35, 64


def mostly_zeros(x: Gathered, n_out: int) -> bool:
    """Whether leaving out zeros pays for data ``x (n, n_in)`` and a first layer of `n_out` outputs.

    It looks at a sample of the rows, in 10 to 90 µs.
    """
    if len(x) < HEIGHT or x.shape[1] < LEAST:
        return False
    count, most = min(len(x), SAMPLE), MOST_NARROW if n_out < NARROW else MOST
    some = np.asarray(x[np.arange(count, dtype=np.int64) * (len(x) - 1) // (count - 1)]) != 0
    return not some.all() and (_left(some) + _left(some.T)) / 2 < most


def _left(factors: np.ndarray) -> float:
    """Return the share of the terms that a list would hold: those where not all rows of a tile are zero."""
    stop = len(factors) // HEIGHT * HEIGHT
    kept = np.logical_or.reduce([factors[i:stop:HEIGHT] for i in range(HEIGHT)])
    return np.count_nonzero(kept) / kept.size
