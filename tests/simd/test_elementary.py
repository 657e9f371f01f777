"""exp and log against float64 NumPy and the C library."""

import math

import numba
import numpy as np
import pytest

from fastmlp.simd import elementary
from fastmlp.simd import vector as v
from fastmlp.simd.pointer import pointer


@numba.njit
def _exp(x, out):
    for i in range(0, len(x), v.lanes(pointer(x, 0))):
        v.store(elementary.exp(v.load(pointer(x, i))), pointer(out, i))


@numba.njit
def _log(x, out):
    for i in range(len(x)):
        out[i] = elementary.log(x[i])


def _exp_of(values, dtype):
    x = np.zeros(-(-len(values) // 16) * 16, dtype)
    x[: len(values)] = values
    out = np.full_like(x, np.nan)
    _exp(x, out)
    return out[: len(values)]


# the lowest argument that is not flushed to 0, and the relative error: 1 ulp and the rounding of the result
EXP = {"float32": (-87.0, 1.2e-7), "float64": (-708.0, 4.5e-16)}


def test_exp(dtype, rng):
    lowest, limit = EXP[dtype.name]
    tiny = -np.logspace(-40 if dtype == np.float64 else -30, 0, 20_000)
    x = np.concatenate([np.linspace(lowest, 0, 200_000), rng.uniform(-20, 0, 200_000), tiny]).astype(dtype)
    expected = np.exp(x.astype(np.float64))
    assert np.abs(_exp_of(x, dtype) / expected - 1).max() <= limit


def test_exp_around_the_steps_of_its_range_reduction(dtype):
    lowest, limit = EXP[dtype.name]
    middle = ((np.arange(int(lowest / math.log(2)), 0) + 0.5) * math.log(2)).astype(dtype)
    x = np.concatenate([middle, np.nextafter(middle, dtype.type(0)), np.nextafter(middle, dtype.type(-1e9))])
    assert np.abs(_exp_of(x, dtype) / np.exp(x.astype(np.float64)) - 1).max() <= limit


def test_exp_of_special_values(dtype):
    lowest = dtype.type(EXP[dtype.name][0])
    below = np.nextafter(lowest, dtype.type(-np.inf))
    x = np.array([0.0, -0.0, -np.inf, below, -1e30, np.finfo(dtype).min, np.nan, lowest], dtype)
    result = _exp_of(x, dtype)
    np.testing.assert_array_equal(result[:7], [1, 1, 0, 0, 0, 0, np.nan])
    assert result[7] >= np.finfo(dtype).smallest_normal


def test_exp_is_monotonic(dtype):
    x = np.linspace(EXP[dtype.name][0] - 1, 0, 100_001).astype(dtype)
    assert (np.diff(_exp_of(x, dtype)) >= 0).all()


def test_log(rng):
    powers = 2.0 ** rng.uniform(-1022, 1024, 50_000)
    near_one = 1 + np.concatenate([10.0 ** rng.uniform(-16, -1, 20_000), -(10.0 ** rng.uniform(-16, -1, 20_000))])
    switch = math.sqrt(2) * (1 + np.arange(-50, 51) * 2.0**-52)
    limits = [np.finfo(np.float64).smallest_normal, np.finfo(np.float64).max, 1 + 2**-52, 1 - 2**-53, 2.0, 0.5]
    x = np.concatenate([powers, near_one[near_one != 1], switch, switch / 2, limits, np.arange(2, 5000)])
    out = np.full_like(x, np.nan)
    _log(x, out)
    expected = np.array([math.log(value) for value in x])
    assert np.abs(out / expected - 1).max() <= 1e-15
    one = np.full(1, np.nan)
    _log(np.ones(1), one)
    assert one[0] == 0


@pytest.mark.parametrize("x", [0.0, -0.0, -1.0, -np.inf, np.inf, np.nan, 5e-324, np.nextafter(2.0**-1022, 0)])
def test_log_of_anything_but_a_positive_normal_number_is_nan(x):
    out = np.zeros(1)
    _log(np.array([x]), out)
    assert np.isnan(out[0])
