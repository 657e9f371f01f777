"""The kernel `activate` against its twin: every activation and its slope."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import reference
from closeness import assert_close
from kernel_calls import at_threads, call_kernel

from fastmlp import kernels

NAMES = ["logistic", "tanh", "leaky_relu", "gelu", "silu", "selu", "mish", "exp"]
# (rows, features)
SHAPES = [(1, 1), (7, 16), (16, 17), (33, 33), (131, 7), (97, 101), (0, 5)]
WIDTH = st.integers(1, 40)
LARGEST = float(np.float32(1e30))


def activate(name, z):
    """out and slope of a named function."""
    function = kernels.activation(name, z.dtype)
    return call_kernel(kernels.activate, (function, z), [z.shape, z.shape], z.dtype)


def check(name, z):
    """Compare with the twin."""
    expected = call_kernel(reference.activate, (name, z), [z.shape, z.shape], np.float64)
    for actual, twin in zip(activate(name, z), expected, strict=True):
        assert_close(actual, twin)


def _inputs(shape, dtype, seed=0):
    return (3.0 * np.random.default_rng(seed).standard_normal(shape)).astype(dtype)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_twin(shape, name, dtype):
    check(name, _inputs(shape, dtype))


@hypothesis.given(
    shape=st.tuples(WIDTH, WIDTH), function=st.sampled_from(NAMES), name=st.sampled_from(["float32", "float64"])
)
def test_any_shape_equals_twin(shape, function, name):
    check(function, _inputs(shape, name, seed=sum(shape)))


@pytest.mark.parametrize("name", NAMES)
def test_slope_is_the_derivative(name):
    z = _inputs((40, 19), np.float64)  # no element is near the kink of the leaky ReLU
    step = 1e-6
    above, below = activate(name, z + step)[0], activate(name, z - step)[0]
    np.testing.assert_allclose(activate(name, z)[1], (above - below) / (2 * step), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "exp"])
def test_extreme_values(name, dtype):
    check(name, np.array([[LARGEST, -LARGEST, 0.0, -0.0, 100.0, -100.0, 1000.0, -1000.0, 1e-30, -1e-30]], dtype))


def test_exp_from_nothing_to_infinity(dtype):
    out, slope = activate("exp", np.array([[-LARGEST, -1000.0, 0.0, 1.0, LARGEST]], dtype))
    np.testing.assert_allclose(out, [[0.0, 0.0, 1.0, np.e, np.inf]], rtol=2e-7)
    np.testing.assert_array_equal(slope, out)


@pytest.mark.parametrize("name", NAMES)
def test_nan_is_not_lost(name, dtype):
    out, slope = activate(name, np.array([[1.0, np.nan, 2.0]], dtype))
    np.testing.assert_array_equal(np.isnan(out), [[False, True, False]])
    np.testing.assert_array_equal(np.isnan(slope[:, ::2]), [[False, False]])


@hypothesis.given(
    values=st.lists(st.floats(-LARGEST, LARGEST, width=32), min_size=1, max_size=40),
    name=st.sampled_from(["float32", "float64"]),
)
def test_bounds_hold_for_any_number(values, name):
    z = np.array([values], name)
    for function, lowest, highest, steepest in [("logistic", 0, 1, 0.25), ("tanh", -1, 1, 1)]:
        out, slope = activate(function, z)
        assert (lowest <= out).all()
        assert (out <= highest).all()
        assert (slope >= 0).all()
        assert (slope <= steepest).all()


def test_softmax_is_the_kernel_of_that_name(dtype):
    z = _inputs((101, 18), dtype)
    (expected,) = call_kernel(kernels.softmax, (z,), [z.shape], dtype)
    out = np.full_like(z, np.nan)
    kernels.activate(kernels.activation("softmax", dtype), z, out, np.empty_like(z))
    np.testing.assert_allclose(out, expected, rtol=1e-6)


def test_same_bits_at_one_and_two_threads(dtype):
    z = _inputs((1031, 37), dtype)
    for name in NAMES:
        results = set()
        for threads in (1, 2):
            with at_threads(threads):
                results.add(b"".join(array.tobytes() for array in activate(name, z)))
        assert len(results) == 1, name
