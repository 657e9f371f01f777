"""The mini-batch: rows of the data set picked by index, converted and scaled.

``data (n, n_in)`` of any real dtype, ``index (batch,)``, ``out (batch, n_in)``.
"""

from typing import Any

import numpy as np
from numba import prange

from fastmlp.jit import body, driver

ROWS = 32  # rows per block


@body
def gather_rows(data: Any, index: Any, scale: Any, out: Any, start: int, stop: int) -> None:
    for r in range(start, stop):
        source = data[index[r]]
        for k in range(out.shape[1]):
            out[r, k] = source[k] * scale


@driver
def gather(data: Any, index: Any, scale: float, out: Any) -> None:
    """``out = data[index] * scale``, in the dtype of `out`."""
    n = out.shape[0]
    factor = out.dtype.type(scale)
    for block in prange((n + ROWS - 1) // ROWS):
        start = np.int64(block) * ROWS
        gather_rows(data, index, factor, out, start, min(n, start + ROWS))
