"""Elementary functions against float64 NumPy and the C library."""

import math

import numba
import numpy as np
import pytest
import reference

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


# the lowest argument whose result is not flushed to 0, and the relative error: 1 ulp and the rounding of the result
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


# ---- vector functions that use exp

NAMES = ["exp_any", "log1p", "logistic", "tanh", "normal_cdf"]


@numba.njit
def _functions(x, out):
    """Write a row of `out` for each of `NAMES`."""
    n = len(x)
    for i in range(0, n, v.lanes(pointer(x, 0))):
        a = v.load(pointer(x, i))
        decayed = elementary.exp(v.multiply(v.multiply(a, a), elementary.constant(a, -0.5)))
        v.store(elementary.exp_any(a), pointer(out, i))
        v.store(elementary.log1p(a), pointer(out, n + i))
        v.store(elementary.logistic(a), pointer(out, 2 * n + i))
        v.store(elementary.tanh(a), pointer(out, 3 * n + i))
        v.store(elementary.normal_cdf(a, decayed), pointer(out, 4 * n + i))


def _all_of(values, dtype):
    """Every function of the values, by name."""
    x = np.zeros(-(-len(values) // 16) * 16, dtype)
    x[: len(values)] = values
    out = np.full((len(NAMES), len(x)), np.nan, dtype)
    _functions(x, out)
    return dict(zip(NAMES, out[:, : len(values)], strict=True))


TWINS = {
    "exp_any": np.exp,
    "log1p": np.log1p,
    "logistic": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "tanh": np.tanh,
    "normal_cdf": reference.normal_cdf,
}
# the range of the arguments, and the largest relative errors in float32 and float64. In the tail of the normal
# distribution, the error is that of the rounded argument x²/2 of the exponential
ACCURACY = {
    "exp_any": (-87.0, 87.0, 2.5e-7, 1e-15),
    "log1p": (0.0, 1.0, 2.5e-7, 6e-16),
    "logistic": (-87.0, 87.0, 3e-7, 1e-15),
    "tanh": (-20.0, 20.0, 4e-7, 1e-15),
    "normal_cdf": (-13.0, 9.0, 6e-6, 4e-14),
}


@pytest.mark.parametrize("name", NAMES)
def test_accuracy(name, dtype, rng):
    lowest, highest, single, double = ACCURACY[name]
    tiny = np.logspace(-30, 0, 3000)
    x = np.concatenate([np.linspace(lowest, highest, 30_001), rng.uniform(max(lowest, -2), min(highest, 2), 30_000)])
    x = np.concatenate([x, tiny] if lowest == 0 else [x, tiny, -tiny]).astype(dtype)
    expected = TWINS[name](x.astype(np.float64))
    x, expected = x[expected != 0], expected[expected != 0]
    error = np.abs(_all_of(x, dtype)[name] / expected - 1).max()
    assert error <= (single if dtype == np.float32 else double)


SPECIAL = [0.0, -0.0, np.inf, -np.inf, 1e30, -1e30, np.nan]
# the values of each function at SPECIAL
SPECIAL_VALUES = {
    "exp_any": [1, 1, np.inf, 0, np.inf, 0, np.nan],
    "logistic": [0.5, 0.5, 1, 0, 1, 0, np.nan],
    "tanh": [0, 0, 1, -1, 1, -1, np.nan],
    "normal_cdf": [0.5, 0.5, 1, 0, 1, 0, np.nan],
}


@pytest.mark.parametrize("name", SPECIAL_VALUES)
def test_special_values(name, dtype):
    np.testing.assert_allclose(_all_of(SPECIAL, dtype)[name], SPECIAL_VALUES[name], rtol=1e-7)


def test_log1p_at_its_ends(dtype):
    found = _all_of([0.0, 1.0, np.nan], dtype)["log1p"]
    np.testing.assert_allclose(found, [0, np.log(2), np.nan], rtol=2e-7 if dtype == np.float32 else 4e-16)


def test_symmetries(dtype, rng):
    x = np.concatenate([rng.standard_normal(5000) * scale for scale in (1e-3, 1, 10)]).astype(dtype)
    above, below = _all_of(x, dtype), _all_of(-x, dtype)
    np.testing.assert_array_equal(above["tanh"], -below["tanh"])
    for name in ("logistic", "normal_cdf"):
        np.testing.assert_allclose(above[name] + below[name], 1, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", ["exp_any", "logistic", "tanh"])
def test_no_step_where_two_formulas_meet(name, dtype):
    meeting = 0.625 if name == "tanh" else 0.0
    x = np.array([-meeting, meeting], dtype)
    for _ in range(20):
        x = np.concatenate([[np.nextafter(x[0], dtype.type(-9))], x, [np.nextafter(x[-1], dtype.type(9))]])
    x.sort()
    result = _all_of(x, dtype)[name]
    # rounding may step back by a unit in the last place
    assert (np.diff(result) >= -2 * np.spacing(np.abs(result[1:]).max())).all()
