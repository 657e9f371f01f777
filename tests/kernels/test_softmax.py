"""softmax and softmax_cross_entropy against their twins."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import reference
from closeness import assert_close
from kernel_calls import at_threads, call_kernel, guarded

from fastmlp import kernels

# (batch, classes)
SHAPES = [(1, 1), (1, 17), (7, 1), (7, 7), (16, 16), (17, 10), (33, 2), (31, 13), (3, 101), (131, 5)]
WIDTH = st.integers(1, 40)
LARGEST = float(np.float32(1e30))
EXTREMES = np.array(
    [
        [1e30, 0.0, -1e30],
        [-1e30, -1e30, -1e30],
        [1e30, 1e30, 1e30],
        [1e30, 1e30, 0.0],
        [0.0, 0.0, 0.0],
        [80.0, 90.0, 100.0],
        [-1000.0, 0.0, 1000.0],
        [1e-30, -1e-30, 0.0],
    ]
)
LOGIT = st.floats(-LARGEST, LARGEST, width=32)
THIRD = 1.0 / 3.0
EXTREMES_PROBA = np.array(
    [
        [1, 0, 0],
        [THIRD, THIRD, THIRD],
        [THIRD, THIRD, THIRD],
        [0.5, 0.5, 0],
        [THIRD, THIRD, THIRD],
        [2.0610600462e-09, 4.5397868609e-05, 0.9999546000703311],
        [0, 0, 1],
        [THIRD, THIRD, THIRD],
    ]
)


def _inputs(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return (3.0 * rng.standard_normal(shape)).astype(dtype), rng.integers(0, shape[1], size=shape[0])


def cross_entropy(functions, z, y, dtype):
    """Return the cost, proba and dz, which hold NaN before the call."""
    before = z.copy(), y.copy()
    with guarded([z.shape, z.shape], dtype) as (proba, dz):
        cost = functions.softmax_cross_entropy(z, y, proba, dz)
    np.testing.assert_array_equal(z, before[0])
    np.testing.assert_array_equal(y, before[1])
    return cost, proba, dz


def _check(z, y, dtype):
    (twin,) = call_kernel(reference.softmax, (z,), [z.shape], np.float64)
    (actual,) = call_kernel(kernels.softmax, (z,), [z.shape], dtype)
    assert_close(actual, twin)
    cost, proba, dz = cross_entropy(kernels, z, y, dtype)
    twin_cost, _, twin_dz = cross_entropy(reference, z, y, np.float64)
    assert_close(cost, twin_cost, dtype)
    assert_close(proba, twin)
    # dz has the factor 1 / batch: compare it on the scale of the probabilities
    assert_close(dz * len(z), twin_dz * len(z), dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_twin(shape, dtype):
    _check(*_inputs(shape, dtype), dtype)


@hypothesis.given(shape=st.tuples(WIDTH, WIDTH), name=st.sampled_from(["float32", "float64"]))
def test_any_shape_equals_twin(shape, name):
    _check(*_inputs(shape, name, seed=sum(shape)), name)


@hypothesis.given(
    rows=st.lists(st.lists(LOGIT, min_size=4, max_size=4), min_size=1, max_size=9),
    name=st.sampled_from(["float32", "float64"]),
)
def test_any_finite_logits_give_probabilities(rows, name):
    z = np.array(rows, dtype=name)
    (proba,) = call_kernel(kernels.softmax, (z,), [z.shape], name)
    assert (proba >= 0).all()
    assert_close(proba.sum(axis=1), np.ones(len(z)), name)
    assert (proba[np.arange(len(z)), z.argmax(axis=1)] == proba.max(axis=1)).all()


def test_no_rows(dtype):
    z = np.empty((0, 3), dtype)
    (proba,) = call_kernel(kernels.softmax, (z,), [z.shape], dtype)
    assert proba.shape == (0, 3)


def test_extreme_rows(dtype):
    z = EXTREMES.astype(dtype)
    (proba,) = call_kernel(kernels.softmax, (z,), [z.shape], dtype)
    assert_close(proba, EXTREMES_PROBA)
    np.testing.assert_allclose(proba[5], EXTREMES_PROBA[5], rtol=1e-4)


@pytest.mark.parametrize("true_class", [0, 1, 2])
def test_extreme_rows_have_a_finite_cost_and_gradient(true_class, dtype):
    y = np.full(len(EXTREMES), true_class)
    cost, proba, dz = cross_entropy(kernels, EXTREMES.astype(dtype), y, dtype)
    assert np.isfinite(cost)
    assert_close(proba, EXTREMES_PROBA)
    assert_close(dz, (EXTREMES_PROBA - np.eye(3)[y]) / len(y))


def test_equal_rows_cost_the_logarithm_of_the_classes(dtype):
    for value in (-1e30, 0.0, 1e30):
        cost, _, _ = cross_entropy(kernels, np.full((5, 10), value, dtype), np.arange(5), dtype)
        assert_close(cost, np.log(10.0), dtype)


def test_cost_of_an_unlikely_class(dtype):
    # -log(exp(-20) / (1 + exp(-20))): the probability of 2e-9 must not vanish in the cost
    cost, _, _ = cross_entropy(kernels, np.array([[20.0, 0.0]], dtype), np.array([1]), dtype)
    assert_close(cost, 20.0 + np.log1p(np.exp(-20.0)), dtype)


def test_single_class_costs_nothing(dtype):
    cost, proba, dz = cross_entropy(kernels, np.array([[5.0], [-7.0]], dtype), np.array([0, 0]), dtype)
    assert cost == 0.0
    np.testing.assert_array_equal(proba, [[1], [1]])
    np.testing.assert_array_equal(dz, [[0], [0]])


def test_same_bits_at_one_and_two_threads(dtype):
    z, y = _inputs((1031, 11), dtype)
    results = []
    for threads in (1, 2):
        with at_threads(threads):
            cost, proba, dz = cross_entropy(kernels, z, y, dtype)
            (softmax,) = call_kernel(kernels.softmax, (z,), [z.shape], dtype)
        results.append((cost, proba.tobytes(), dz.tobytes(), softmax.tobytes()))
    assert results[0] == results[1]
