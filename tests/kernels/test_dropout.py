"""The kernel `dropout` against its twin, which draws the same random words in plain Python."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import reference
from closeness import assert_close
from kernel_calls import at_threads, call_kernel

from fastmlp import kernels
from fastmlp.kernels.dropout import threshold_of

# (rows, features): whole and incomplete groups of four rows, blocks of 96 rows and vectors
SHAPES = [(1, 1), (7, 16), (16, 17), (33, 33), (97, 7), (193, 5), (0, 5)]
KEY = 0x1234567890ABCDEF
WIDTH = st.integers(1, 12)
WHOLE = 1 << 32


def drop(x, key=KEY, step=5, layer=2, rate=0.3):
    """The values after dropout."""
    threshold = threshold_of(rate)
    return call_kernel(kernels.dropout, (x, key, step, layer, threshold), [x.shape], x.dtype)[0]


def check(x, key, step, layer, rate):
    """Compare with the twin."""
    inputs = (x, key, step, layer, threshold_of(rate))
    (actual,) = call_kernel(kernels.dropout, inputs, [x.shape], x.dtype)
    (expected,) = call_kernel(reference.dropout, inputs, [x.shape], np.float64)
    np.testing.assert_array_equal(actual == 0, expected == 0)
    assert_close(actual, expected)


def _inputs(shape, dtype, seed=0):
    return np.random.default_rng(seed).uniform(1.0, 2.0, shape).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_twin(shape, dtype):
    check(_inputs(shape, dtype), KEY, 5, 2, 0.3)


@hypothesis.given(
    shape=st.tuples(WIDTH, WIDTH),
    key=st.integers(0, 2**63 - 1),
    step=st.integers(0, 2**47 - 1),
    layer=st.integers(0, 2**16 - 1),
    rate=st.floats(0.0, 0.999),
    name=st.sampled_from(["float32", "float64"]),
)
def test_any_arguments_equal_twin(shape, key, step, layer, rate, name):
    check(_inputs(shape, name), key, step, layer, rate)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_share_that_is_dropped_and_the_mean(rate, dtype):
    shape = (300, 200)
    out = drop(np.ones(shape, dtype), rate=rate)
    deviation = np.sqrt(rate * (1 - rate) / out.size)
    assert abs((out == 0).mean() - rate) < 4 * deviation
    assert abs(out.mean(dtype=np.float64) - 1) < 4 * deviation / (1 - rate)
    assert len(np.unique(out)) == 2
    # along either axis, no row or column has too many or too few zeros, as with a bad generator
    for axis in (0, 1):
        assert abs((out == 0).mean(axis=axis) - rate).max() < 6 * np.sqrt(rate * (1 - rate) / shape[axis])


@pytest.mark.parametrize(
    "other", [{"key": KEY + 1}, {"key": KEY ^ 1 << 40}, {"step": 6}, {"step": 5 + (1 << 20)}, {"layer": 3}], ids=str
)
def test_other_masks_for_other_keys_steps_and_layers(other):
    x = np.ones((300, 200), np.float32)
    same = ((drop(x) == 0) == (drop(x, **other) == 0)).mean()
    assert abs(same - (0.3**2 + 0.7**2)) < 0.01  # independent masks; the standard deviation is 0.002


def test_dtypes_share_their_masks():
    x = np.ones((99, 37))
    np.testing.assert_array_equal(drop(x) == 0, drop(x.astype(np.float32)) == 0)


def test_no_dropout_changes_nothing(dtype):
    x = _inputs((99, 37), dtype)
    np.testing.assert_array_equal(drop(x, rate=0.0), x)


def test_threshold():
    assert [threshold_of(rate) for rate in (0.0, 0.25, 0.5, 1 - 2**-40)] == [0, WHOLE // 4, WHOLE // 2, WHOLE - 1]


def test_extreme_values(dtype):
    x = np.full((50, 17), 1e30, dtype)
    x[:, ::2] = -1e30
    out = drop(x)
    np.testing.assert_array_equal(np.sign(out), np.where(out == 0, 0, np.sign(x)))
    np.testing.assert_allclose(np.abs(out[out != 0]), 1e30 / 0.7, rtol=1e-6)


def test_same_bits_at_one_and_two_threads(dtype):
    x = _inputs((1031, 37), dtype)
    results = set()
    for threads in (1, 2):
        with at_threads(threads):
            results.add(drop(x).tobytes())
    assert len(results) == 1
