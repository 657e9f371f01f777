"""Rows picked by index: every dtype, widths around the vector, and the rows that are prefetched."""

import numpy as np
import pytest
import reference

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
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_in", [1, 7, 16, 33])
def test_equals_twin(source, dtype, n_in, assert_close):
    data = _data(source, 11, n_in)
    index = np.random.default_rng(1).integers(0, 11, 2 * AHEAD + 5)
    out, expected = np.full((len(index), n_in), np.nan, dtype), np.empty((len(index), n_in))
    before = data.copy()
    kernels.gather(data, index, 0.25, out)
    reference.gather(data, index, 0.25, expected)
    assert_close(out, expected)
    np.testing.assert_array_equal(data, before)


@pytest.mark.parametrize("batch", [0, 1, AHEAD, AHEAD + 1, 96, 97, 300])
def test_any_number_of_rows(batch):
    data = _data(np.dtype(np.uint8), 5, 20)
    index = np.arange(batch) % 5
    out = np.full((batch, 20), np.nan, np.float32)
    kernels.gather(data, index, 1.0, out)
    np.testing.assert_array_equal(out, data[index])
