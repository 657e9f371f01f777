"""How many threads the kernels' loops use, for the length of a block."""

import contextlib
from collections.abc import Iterator

import numba


@contextlib.contextmanager
def numba_threads(threads: int) -> Iterator[None]:
    """Let kernels use `threads` threads, at most those that Numba was started with."""
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    try:
        yield
    finally:
        numba.set_num_threads(before)
