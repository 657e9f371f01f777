"""sgd_update against its twin."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import reference
from closeness import assert_close
from kernel_calls import at_threads, guarded

from fastmlp import kernels

SHAPES = [(1, 1), (1, 17), (7, 7), (16, 16), (17, 33), (33, 16), (101, 3), (0, 5), (5, 0)]
WIDTH = st.integers(1, 40)


def check(shape, dtype, learning_rate, weight_decay):
    """Compare with the twin, and check that the gradient and the memory beside the weights do not change."""
    rng = np.random.default_rng(sum(shape))
    start, dweight = rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape).astype(dtype)
    twin, gradient = start.astype(np.float64), dweight.copy()
    with guarded([shape], dtype) as (weight,):
        weight[:] = start
        assert kernels.sgd_update(weight, dweight, learning_rate, weight_decay) is None
    reference.sgd_update(twin, dweight, learning_rate, weight_decay)
    assert_close(weight, twin)
    np.testing.assert_array_equal(dweight, gradient)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_equals_twin(shape, weight_decay, dtype):
    check(shape, dtype, 0.3, weight_decay)


@hypothesis.given(
    shape=st.tuples(WIDTH, WIDTH),
    name=st.sampled_from(["float32", "float64"]),
    learning_rate=st.floats(1e-4, 1.0),
    weight_decay=st.floats(0.0, 1.0),
)
def test_any_shape_and_rate_equals_twin(shape, name, learning_rate, weight_decay):
    check(shape, name, learning_rate, weight_decay)


def test_decays_once():
    weight = np.array([[1.0, -2.0]])
    kernels.sgd_update(weight, np.zeros((1, 2)), 0.5, 0.25)
    # 1 - 0.5 · 0.25 = 0.875; a second decay would give 0.75
    np.testing.assert_array_equal(weight, [[0.875, -1.75]])


def test_worked_by_hand(dtype):
    weight, dweight = np.array([[8.0, -4.0]], dtype), np.array([[2.0, 1.0]], dtype)
    kernels.sgd_update(weight, dweight, 0.5, 0.25)
    np.testing.assert_array_equal(weight, [[6.0, -4.0]])


def test_same_bits_at_one_and_two_threads(dtype, rng):
    start, dweight = rng.standard_normal((131, 35)).astype(dtype), rng.standard_normal((131, 35)).astype(dtype)
    results = []
    for threads in (1, 2):
        weight = start.copy()
        with at_threads(threads):
            kernels.sgd_update(weight, dweight, 0.1, 0.01)
        results.append(weight.tobytes())
    assert results[0] == results[1]
