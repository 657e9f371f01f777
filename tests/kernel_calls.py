"""Calls of kernels with a number of threads, and with checks of what the kernels write."""

import contextlib
import math

import numba
import numpy as np

MARGIN = 61  # elements before and after an output: more than a vector, and no multiple of a vector


@contextlib.contextmanager
def at_threads(count):
    """Let Numba's parallel kernels use `count` threads in a block."""
    earlier = numba.get_num_threads()
    numba.set_num_threads(count)
    try:
        yield
    finally:
        numba.set_num_threads(earlier)


@contextlib.contextmanager
def guarded(shapes, dtype):
    """Make outputs of NaN inside larger buffers. After the block, check that nothing was written outside them."""
    buffers = [np.full(math.prod(np.atleast_1d(shape)) + 2 * MARGIN, np.nan, dtype=dtype) for shape in shapes]
    yield [buffer[MARGIN:-MARGIN].reshape(shape) for buffer, shape in zip(buffers, shapes, strict=True)]
    for buffer in buffers:
        assert np.isnan(buffer[:MARGIN]).all(), "written before the output"
        assert np.isnan(buffer[-MARGIN:]).all(), "written behind the output"


def call_kernel(kernel, inputs, shapes, dtype):
    """Call a kernel with outputs of NaN; check that it returns nothing and does not change its inputs."""
    before = [np.copy(value) for value in inputs]
    with guarded(shapes, dtype) as outputs:
        assert kernel(*inputs, *outputs) is None
    for value, copy in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(value, copy)
    return outputs
