"""Calls of kernels that show what they write, and with how many threads."""

import contextlib
import math

import numba
import numpy as np

MARGIN = 61  # elements before and after an output: more than a vector, and no multiple of one


@contextlib.contextmanager
def at_threads(count):
    """A block in which Numba's own parallel kernels use `count` threads."""
    earlier = numba.get_num_threads()
    numba.set_num_threads(count)
    try:
        yield
    finally:
        numba.set_num_threads(earlier)


@contextlib.contextmanager
def guarded(shapes, dtype):
    """Make outputs of NaN inside larger buffers; afterwards, check that nothing was written beside them."""
    buffers = [np.full(math.prod(np.atleast_1d(shape)) + 2 * MARGIN, np.nan, dtype=dtype) for shape in shapes]
    yield [buffer[MARGIN:-MARGIN].reshape(shape) for buffer, shape in zip(buffers, shapes, strict=True)]
    for buffer in buffers:
        assert np.isnan(buffer[:MARGIN]).all(), "written before the output"
        assert np.isnan(buffer[-MARGIN:]).all(), "written behind the output"


def call_kernel(kernel, inputs, shapes, dtype):
    """Call a kernel whose outputs hold NaN before; check that it returns nothing and leaves its inputs."""
    before = [np.copy(value) for value in inputs]
    with guarded(shapes, dtype) as outputs:
        assert kernel(*inputs, *outputs) is None
    for value, copy in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(value, copy)
    return outputs
