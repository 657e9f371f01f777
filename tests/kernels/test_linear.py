"""linear_forward and linear_backward against their twins."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import reference
from closeness import assert_close
from kernel_calls import at_threads, call_kernel

from fastmlp import kernels

# (batch, n_in, n_out): ones, sizes near a vector's, primes, a batch of one, no sample
SHAPES = [
    (1, 1, 1), (1, 7, 16), (7, 1, 17), (16, 16, 16), (17, 33, 7), (33, 17, 1), (31, 13, 29), (3, 101, 11), (67, 5, 3),
    (0, 5, 3), (200, 20, 18),
]  # fmt: skip
WIDTH = st.integers(1, 40)


def _inputs(shape, dtype, seed=0):
    n, n_in, n_out = shape
    rng = np.random.default_rng(seed)
    sizes = (n, n_in), (n_in, n_out), n_out, (n, n_out)
    return [rng.standard_normal(size).astype(dtype) for size in sizes]


def both(functions, x, weight, bias, dout, dtype):
    """The outputs of both kernels of this family: out, dx, dweight, dbias."""
    shapes = x.shape, weight.shape, bias.shape
    return [
        *call_kernel(functions.linear_forward, (x, weight, bias), [dout.shape], dtype),
        *call_kernel(functions.linear_backward, (x, weight, dout), shapes, dtype),
    ]


def _check(inputs, dtype):
    expected = both(reference, *inputs, np.float64)
    for actual, twin in zip(both(kernels, *inputs, dtype), expected, strict=True):
        assert_close(actual, twin)


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_twin(shape, dtype):
    _check(_inputs(shape, dtype), dtype)


@hypothesis.given(shape=st.tuples(WIDTH, WIDTH, WIDTH), name=st.sampled_from(["float32", "float64"]))
def test_any_shape_equals_twin(shape, name):
    _check(_inputs(shape, name, seed=sum(shape)), name)


def test_no_samples_give_zero_gradients(dtype):
    _, _, dweight, dbias = both(kernels, *_inputs((0, 5, 3), dtype), dtype)
    assert not dweight.any()
    assert not dbias.any()


def test_worked_by_hand(dtype):
    x, weight = np.array([[1, 2], [3, 4]], dtype=dtype), np.array([[1, 0, -1], [2, 1, 0]], dtype=dtype)
    bias, dout = np.array([10, 20, 30], dtype=dtype), np.array([[1, 0, 2], [0, 1, 1]], dtype=dtype)
    out, dx, dweight, dbias = both(kernels, x, weight, bias, dout, dtype)
    np.testing.assert_array_equal(out, [[15, 22, 29], [21, 24, 27]])
    np.testing.assert_array_equal(dx, [[-1, 2], [-1, 1]])
    np.testing.assert_array_equal(dweight, [[1, 3, 5], [2, 4, 8]])
    np.testing.assert_array_equal(dbias, [1, 1, 3])


def test_same_bits_at_one_and_two_threads(dtype):
    inputs = _inputs((67, 33, 31), dtype)
    with at_threads(1):
        one = both(kernels, *inputs, dtype)
    with at_threads(2):
        two = both(kernels, *inputs, dtype)
    assert [array.tobytes() for array in one] == [array.tobytes() for array in two]
