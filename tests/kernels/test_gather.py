"""Rows that are selected by index: every dtype, widths near a vector's, and rows that are prefetched."""

import numpy as np
import pytest
import reference
from closeness import assert_close
from kernel_calls import at_threads, call_kernel

from fastmlp import kernels
from fastmlp.kernels.gather import AHEAD, DTYPES


def _data(dtype, n, n_in):
    rng = np.random.default_rng(n_in)
    if dtype.kind == "f":
        return rng.standard_normal((n, n_in)).astype(dtype)
    info = np.iinfo(dtype)
    data = rng.integers(info.min, info.max, (n, n_in), dtype=dtype, endpoint=True)
    data[0, 0], data[-1, -1] = info.min, info.max
    return data


@pytest.mark.parametrize("source", DTYPES, ids=str)
@pytest.mark.parametrize("n_in", [1, 7, 16, 33])
def test_equals_twin(source, n_in, dtype):
    inputs = _data(source, 11, n_in), np.random.default_rng(1).integers(0, 11, 2 * AHEAD + 5), 0.25
    shapes = [(len(inputs[1]), n_in)]
    (expected,) = call_kernel(reference.gather, inputs, shapes, np.float64)
    (actual,) = call_kernel(kernels.gather, inputs, shapes, dtype)
    assert_close(actual, expected)


@pytest.mark.parametrize("batch", [0, 1, AHEAD, AHEAD + 1, 96, 97, 300])
def test_any_number_of_rows(batch):
    data, index = _data(np.dtype(np.uint8), 5, 20), np.arange(batch) % 5
    (out,) = call_kernel(kernels.gather, (data, index, 1.0), [(batch, 20)], np.float32)
    np.testing.assert_array_equal(out, data[index])


def test_same_bits_at_one_and_two_threads(dtype):
    inputs = _data(np.dtype(np.int16), 50, 19), np.arange(333) * 7 % 50, 1 / 255
    bits = []
    for threads in (1, 2):
        with at_threads(threads):
            (out,) = call_kernel(kernels.gather, inputs, [(333, 19)], dtype)
        bits.append(out.tobytes())
    assert bits[0] == bits[1]
