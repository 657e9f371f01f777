"""The kernel `loss_gradient` against its twin: every loss, with and without weights."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import reference
from closeness import assert_close
from kernel_calls import at_threads, guarded

from fastmlp import kernels

# the losses, each with a parameter that is not its default
PARAMETERS = {
    "cross_entropy": 0.1,
    "binary_cross_entropy": 0.2,
    "squared_error": 0.0,
    "absolute_error": 0.0,
    "huber": 0.7,
    "poisson": 0.0,
}
NAMES = list(PARAMETERS)
# (rows, outputs)
SHAPES = [(1, 1), (7, 16), (16, 17), (33, 33), (131, 7), (67, 101), (64, 2)]
WIDTH = st.integers(1, 40)
DTYPES = st.sampled_from(["float32", "float64"])
LARGEST = float(np.float32(1e30))


def _targets(name, shape, dtype, rng):
    if name == "cross_entropy":
        return rng.integers(0, shape[1], shape[0])
    if name == "binary_cross_entropy":
        return rng.choice([0.0, 1.0, 0.25], shape).astype(dtype)
    if name == "poisson":
        return rng.poisson(1.0, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def _inputs(name, shape, dtype, weighted, seed=0):
    rng = np.random.default_rng(seed)
    z = (2.0 * rng.standard_normal(shape)).astype(dtype)
    weights = rng.choice([0.0, 0.5, 1.0, 3.0], shape[0]) if weighted else np.ones(1)
    weights[0] = 2.0 if weighted else 1.0
    return z, _targets(name, shape, dtype, rng), weights


def loss_gradient(name, z, targets, weights, parameter=0.0):
    """Return the cost and dz, which holds NaN before the call."""
    before = [array.copy() for array in (z, targets, weights)]
    with guarded([z.shape], z.dtype) as (dz,):
        cost = kernels.loss_gradient(kernels.loss(name, z.dtype), z, targets, weights, parameter, dz)
    for array, copy in zip((z, targets, weights), before, strict=True):
        np.testing.assert_array_equal(array, copy)
    return cost, dz


def check(name, z, targets, weights, parameter=0.0):
    """Compare with the twin."""
    twin_dz = np.empty(z.shape)
    twin_cost = reference.loss_gradient(name, z, targets, weights, parameter, twin_dz)
    cost, dz = loss_gradient(name, z, targets, weights, parameter)
    assert_close(cost, twin_cost, z.dtype)
    # dz has the factor weight / Σ weights: compare it on the scale of one row's gradient
    assert_close(dz * len(z), twin_dz * len(z), z.dtype)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_twin(shape, name, weighted, dtype):
    inputs = _inputs(name, shape, dtype, weighted)
    for parameter in {0.0, PARAMETERS[name]} if name != "huber" else {1.0, PARAMETERS[name]}:
        check(name, *inputs, parameter)


@hypothesis.given(shape=st.tuples(WIDTH, WIDTH), loss=st.sampled_from(NAMES), weighted=st.booleans(), name=DTYPES)
def test_any_shape_equals_twin(shape, loss, weighted, name):
    check(loss, *_inputs(loss, shape, name, weighted, seed=sum(shape)), PARAMETERS[loss])


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_the_derivative(name, weighted):
    z, targets, weights = _inputs(name, (5, 3), np.float64, weighted)
    parameter, step = PARAMETERS[name], 1e-6
    dz = loss_gradient(name, z, targets, weights, parameter)[1]
    for index in np.ndindex(z.shape):
        costs = []
        for moved in (step, -step):
            other = z.copy()
            other[index] += moved
            costs.append(loss_gradient(name, other, targets, weights, parameter)[0])
        assert dz[index] == pytest.approx((costs[0] - costs[1]) / (2 * step), rel=1e-6, abs=1e-8)


# ---- weights


@pytest.mark.parametrize("name", NAMES)
def test_one_weight_for_all_is_none(name, dtype):
    z, targets, _ = _inputs(name, (70, 5), dtype, weighted=False)
    cost, dz = loss_gradient(name, z, targets, np.ones(1), PARAMETERS[name])
    for weights in (np.full(70, 4.0), np.full(1, 4.0)):
        other_cost, other_dz = loss_gradient(name, z, targets, weights, PARAMETERS[name])
        assert_close(other_cost, cost, dtype)
        assert_close(other_dz, dz)


@pytest.mark.parametrize("name", NAMES)
def test_a_weight_of_2_is_a_row_twice(name, dtype):
    z, targets, _ = _inputs(name, (21, 5), dtype, weighted=False)
    weights = np.arange(21) % 4 + 0.0
    rows = np.repeat(np.arange(21), weights.astype(int))
    cost, dz = loss_gradient(name, z, targets, weights, PARAMETERS[name])
    repeated, each = loss_gradient(name, z[rows], targets[rows], np.ones(1), PARAMETERS[name])
    assert_close(cost, repeated, dtype)
    sums = np.zeros_like(dz)
    np.add.at(sums, rows, each)
    assert_close(dz, sums)
    assert (dz[weights == 0] == 0).all()


# ---- extreme values


EXTREMES = np.array([LARGEST, -LARGEST, 0.0, -0.0, 1000.0, -1000.0, 88.0, -88.0, 1e-30])


@pytest.mark.parametrize("name", ["binary_cross_entropy", "absolute_error", "huber"])
def test_extreme_outputs(name, dtype):
    for target in (0.0, 1.0):
        z = EXTREMES.astype(dtype)[None]
        check(name, z, np.full_like(z, target), np.ones(1), PARAMETERS[name])
        check(name, z.T.copy(), np.full_like(z.T, target), np.ones(1), PARAMETERS[name])


def test_extreme_rates_of_poisson(dtype):
    z = EXTREMES[EXTREMES < 80].astype(dtype)[None]
    for target in (0.0, 3.0):
        check("poisson", z, np.full_like(z, target), np.ones(1))
    assert loss_gradient("poisson", np.full((1, 1), LARGEST, dtype), np.ones((1, 1), dtype), np.ones(1))[0] == np.inf


def test_targets_of_poisson_down_to_the_smallest_number(dtype):
    smallest = np.finfo(dtype).smallest_subnormal
    check("poisson", np.zeros((1, 3), dtype), np.array([[smallest, 1e-30, 0.0]], dtype), np.ones(1))


def test_squares_overflow_to_infinity_and_not_to_nan():
    z = np.full((1, 1), LARGEST, np.float32)
    cost, dz = loss_gradient("squared_error", z, np.zeros_like(z), np.ones(1))
    assert cost == np.inf
    assert dz[0, 0] == z[0, 0]


@pytest.mark.parametrize("name", NAMES)
def test_nan_is_not_lost(name, dtype):
    for columns, column in ((3, 1), (20, 17)):
        z, targets, weights = _inputs(name, (9, columns), dtype, weighted=False)
        z[4, column] = np.nan
        assert np.isnan(loss_gradient(name, z, targets, weights, PARAMETERS[name])[0])


def test_a_likely_flag_costs_little_but_something(dtype):
    z = np.array([[20.0], [-20.0]], dtype)
    cost, _ = loss_gradient("binary_cross_entropy", z, np.array([[1.0], [0.0]], dtype), np.ones(1))
    assert cost == pytest.approx(np.log1p(np.exp(-20.0)), rel=1e-6)
    cost, _ = loss_gradient("binary_cross_entropy", z, np.array([[0.0], [1.0]], dtype), np.ones(1))
    assert_close(cost, 20.0 + np.log1p(np.exp(-20.0)), dtype)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "cross_entropy"])
def test_what_lies_behind_the_targets_is_not_used(name, dtype):
    z, targets, weights = _inputs(name, (9, 5), dtype, weighted=False)
    longer = np.concatenate([targets.ravel(), np.full(64, np.nan, dtype)])
    cost, dz = loss_gradient(name, z, longer[: targets.size].reshape(targets.shape), weights, PARAMETERS[name])
    assert np.isfinite(cost)
    assert np.isfinite(dz).all()


def test_same_bits_at_one_and_two_threads(dtype):
    for name in NAMES:
        inputs = _inputs(name, (1031, 11), dtype, weighted=True)
        results = set()
        for threads in (1, 2):
            with at_threads(threads):
                cost, dz = loss_gradient(name, *inputs, PARAMETERS[name])
            results.add((cost, dz.tobytes()))
        assert len(results) == 1, name


def test_a_row_without_weight_may_overflow():
    z = np.array([[1.0, 2.0], [LARGEST, -LARGEST]], np.float32)
    for name in ("squared_error", "poisson"):
        cost, dz = loss_gradient(name, z, np.ones_like(z), np.array([2.0, 0.0]))
        assert cost == loss_gradient(name, z[:1], np.ones_like(z[:1]), np.ones(1))[0]
        np.testing.assert_array_equal(dz[1], [0, 0])
