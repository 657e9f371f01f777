"""ReLU, and batch norm on either side of it, against their twins."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import reference
from closeness import assert_close
from kernel_calls import at_threads, call_kernel

from fastmlp import kernels

EPS = 1e-5
# (batch, features): ones, sizes near a vector's, primes, a batch of one
SHAPES = [(1, 1), (1, 17), (2, 1), (7, 7), (16, 16), (17, 33), (33, 16), (31, 13), (3, 101), (131, 5)]
EMPTY = [(0, 5), (5, 0), (0, 0)]
WIDTH = st.integers(1, 40)


def _inputs(shape, dtype, seed=0):
    """Return z, dout, gamma, beta. Each feature of z has its own mean and spread."""
    rng = np.random.default_rng(seed)
    features = shape[1]
    z = rng.standard_normal(shape) * rng.uniform(0.5, 2.0, features) + rng.uniform(-1.0, 1.0, features)
    dout = rng.standard_normal(shape)
    gamma, beta = rng.uniform(-2.0, 2.0, features), rng.uniform(-1.0, 1.0, features)
    return [array.astype(dtype) for array in (z, dout, gamma, beta)]


def elementwise(functions, z, dout, gamma, beta, dtype):
    """The outputs of the kernels without statistics."""
    return [
        *call_kernel(functions.relu_forward, (z,), [z.shape], dtype),
        *call_kernel(functions.relu_backward, (z, dout), [z.shape], dtype),
    ]


def normalised(functions, z, dout, gamma, beta, dtype):
    """The outputs of both batch norms. Both backward kernels get the twin's statistics."""
    features = gamma.shape
    forward = [z.shape, features, features]
    _, *after = call_kernel(reference.relu_batchnorm_forward, (z, EPS), forward, z.dtype)
    _, *before = call_kernel(reference.batchnorm_relu_forward, (z, gamma, beta, EPS), forward, z.dtype)
    return [
        *call_kernel(functions.relu_batchnorm_forward, (z, EPS), forward, dtype),
        *call_kernel(functions.relu_batchnorm_backward, (z, *after, dout), [z.shape], dtype),
        *call_kernel(functions.batchnorm_relu_forward, (z, gamma, beta, EPS), forward, dtype),
        *call_kernel(functions.batchnorm_relu_backward, (z, gamma, beta, *before, dout), forward, dtype),
    ]


def _check(run, inputs, dtype, factor=1.0):
    expected = run(reference, *inputs, np.float64)
    for actual, twin in zip(run(kernels, *inputs, dtype), expected, strict=True):
        assert_close(actual, twin, factor=factor)


@pytest.mark.parametrize("shape", SHAPES + EMPTY)
def test_elementwise_equals_twin(shape, dtype):
    _check(elementwise, _inputs(shape, dtype), dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_normalised_equals_twin(shape, dtype):
    _check(normalised, _inputs(shape, dtype), dtype)


@hypothesis.given(shape=st.tuples(WIDTH, WIDTH), name=st.sampled_from(["float32", "float64"]))
def test_any_shape_equals_twin(shape, name):
    inputs = _inputs(shape, name, seed=sum(shape))
    _check(elementwise, inputs, name)
    # two samples with nearly equal values divide a small difference by itself, which enlarges rounding errors
    _check(normalised, inputs, name, factor=10.0)


def test_zero_is_no_positive_input(dtype):
    z, dout = np.array([[-1.0, 0.0, 2.0]], dtype=dtype), np.array([[5.0, 6.0, 7.0]], dtype=dtype)
    out, dz = elementwise(kernels, z, dout, np.ones(3, dtype), np.zeros(3, dtype), dtype)
    np.testing.assert_array_equal(out, [[0, 0, 2]])
    np.testing.assert_array_equal(dz, [[0, 0, 7]])


def test_relu_of_extremes(dtype):
    z = np.array([[1e30, -1e30, np.inf, -np.inf]], dtype=dtype)
    (out,) = call_kernel(kernels.relu_forward, (z,), [z.shape], dtype)
    np.testing.assert_array_equal(out, np.array([[1e30, 0.0, np.inf, 0.0]], dtype=dtype))


def test_nan_is_not_hidden(dtype):
    z = np.array([[np.nan, 1.0], [2.0, 3.0]], dtype=dtype)
    (out,) = call_kernel(kernels.relu_forward, (z,), [z.shape], dtype)
    np.testing.assert_array_equal(out, z)


def test_normalisation_worked_by_hand():
    z = np.array([[-5.0], [2.0], [4.0], [6.0]])
    # relu: 0, 2, 4, 6; mean 3, biased variance 5, + eps 4 = 9
    out, mean, inv_std = call_kernel(kernels.relu_batchnorm_forward, (z, 4.0), [(4, 1), 1, 1], np.float64)
    np.testing.assert_allclose([mean[0], inv_std[0]], [3.0, 1.0 / 3.0], rtol=1e-15)
    np.testing.assert_allclose(out[:, 0], [-1.0, -1.0 / 3.0, 1.0 / 3.0, 1.0], rtol=1e-15)


@pytest.mark.parametrize("value", [0.0, 3.0, 255.0])
@pytest.mark.parametrize("batch", [1, 2, 7, 1000])
def test_zero_variance(value, batch, dtype):
    z = np.full((batch, 3), value, dtype=dtype)
    dout, gamma, beta = np.ones((batch, 3), dtype), np.full(3, 2.0, dtype), np.full(3, 0.25, dtype)
    after, mean, _, dafter, before, *_, dgamma, _ = outputs = normalised(kernels, z, dout, gamma, beta, dtype)
    assert all(np.isfinite(array).all() for array in outputs)
    assert_close(mean, np.full(3, value))
    np.testing.assert_array_equal(after, np.zeros_like(after))
    np.testing.assert_array_equal(before, np.full_like(before, 0.25))
    assert_close(dafter, np.zeros_like(dafter), factor=100.0)
    assert_close(dgamma, np.zeros_like(dgamma))


def test_one_dead_feature_among_live_ones(dtype):
    inputs = _inputs((17, 5), dtype)
    inputs[0][:, 2] = -1.0
    _check(normalised, inputs, dtype)


def test_mean_far_from_zero(dtype):
    inputs = _inputs((100, 3), dtype)
    inputs[0] += 1000
    # the differences from the mean lose digits by the factor 1000 / spread; E[z²] - E[z]² would lose the square of it
    _check(normalised, inputs, dtype, factor=1000.0)


def test_same_bits_at_one_and_two_threads(dtype):
    inputs = _inputs((131, 35), dtype)
    bits = []
    for threads in (1, 2):
        with at_threads(threads):
            arrays = elementwise(kernels, *inputs, dtype) + normalised(kernels, *inputs, dtype)
        bits.append([array.tobytes() for array in arrays])
    assert bits[0] == bits[1]
