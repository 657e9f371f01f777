"""Vector operations against NumPy, bit for bit: every operation is one rounding per lane."""

import os

import numba
import numpy as np
import pytest
from processes import printed

from fastmlp.kernels.gather import DTYPES
from fastmlp.simd import vector as v
from fastmlp.simd.pointer import number, offset, pointer
from fastmlp.simd.target import VECTOR_BYTES


def _lanes(dtype):
    return VECTOR_BYTES // np.dtype(dtype).itemsize


@numba.njit
def _operations(x, y, z, out):
    """Write a row of `out` for each operation."""
    n = v.lanes(pointer(out, 0))
    a, b, c = v.load(pointer(x, 0)), v.load(pointer(y, 0)), v.load(pointer(z, 0))
    v.store(v.add(a, b), pointer(out, 0 * n))
    v.store(v.subtract(a, b), pointer(out, 1 * n))
    v.store(v.multiply(a, b), pointer(out, 2 * n))
    v.store(v.divide(a, b), pointer(out, 3 * n))
    v.store(v.maximum(a, b), pointer(out, 4 * n))
    v.store(v.relu(a), pointer(out, 5 * n))
    v.store(v.where_positive(a, b), pointer(out, 6 * n))
    v.store(v.square_root(c), pointer(out, 7 * n))
    v.store(v.fma(a, b, c), pointer(out, 8 * n))
    v.store(v.splat(v.sum_lanes(a)), pointer(out, 9 * n))
    v.store(v.splat(v.max_lanes(a)), pointer(out, 10 * n))
    v.store(v.splat(v.scalar_fma(x[0], y[0], z[0])), pointer(out, 11 * n))
    v.store(v.minimum(a, b), pointer(out, 12 * n))
    v.store(v.where(a, b, c), pointer(out, 13 * n))


@numba.njit
def _first_lanes(x, count, out):
    v.store(v.first_lanes(v.load(pointer(x, 0)), count, number(pointer(x, 0), -7.0)), pointer(out, 0))


@numba.njit
def _convert(source, start, out):
    like = v.splat(out[0])
    v.store(v.load_converted(offset(pointer(source, 0), start), like), pointer(out, 0))


@pytest.fixture
def operations(dtype):
    """A function that applies every operation to three vectors and returns the results by name."""
    names = ["add", "subtract", "multiply", "divide", "maximum", "relu", "where_positive", "square_root", "fma"]
    names += ["sum", "max", "scalar_fma", "minimum", "where"]

    def run(x, y, z):
        out = np.full((len(names), _lanes(dtype)), np.nan, dtype)
        _operations(*(np.ascontiguousarray(a, dtype) for a in (x, y, z)), out)
        return dict(zip(names, out, strict=True))

    return run


def _sum_by_halves(values):
    while len(values) > 1:
        half = len(values) // 2
        values = values[:half] + values[half:]
    return values[0]


def test_operations(operations, dtype, rng):
    for _ in range(200):
        scale = 10.0 ** rng.integers(-8, 8, (3, _lanes(dtype)))
        x, y, z = (rng.standard_normal((3, _lanes(dtype))) * scale).astype(dtype)
        z = np.abs(z)
        results = operations(x, y, z)
        expected = {
            "add": x + y,
            "subtract": x - y,
            "multiply": x * y,
            "divide": x / y,
            "maximum": np.maximum(x, y),
            "minimum": np.minimum(x, y),
            "relu": np.maximum(x, 0),
            "where_positive": np.where(x > 0, y, 0),
            "where": np.where(x > 0, y, z),
            "square_root": np.sqrt(z),
            "sum": np.full_like(x, _sum_by_halves(x)),
            "max": np.full_like(x, x.max()),
        }
        for name, value in expected.items():
            np.testing.assert_array_equal(results[name], value, err_msg=name, strict=True)


def test_fma_rounds_once(operations, dtype):
    half = 12 if dtype == np.float32 else 27  # x² needs one bit more than the dtype has
    x = np.full(_lanes(dtype), 1 + 2.0**-half)
    results = operations(x, x, -(x * x).astype(dtype))
    assert (results["fma"] == 2.0 ** (-2 * half)).all()
    assert (results["scalar_fma"] == 2.0 ** (-2 * half)).all()


def test_nan_and_signed_zero(operations, dtype):
    lanes = _lanes(dtype)
    x = np.resize([np.nan, -0.0, np.inf, -np.inf], lanes)
    results = operations(x, np.full(lanes, 3.0), np.ones(lanes))
    np.testing.assert_array_equal(results["relu"], np.resize([np.nan, 0.0, np.inf, 0.0], lanes))
    np.testing.assert_array_equal(results["where_positive"], np.resize([0.0, 0.0, 3.0, 0.0], lanes))
    np.testing.assert_array_equal(results["where"], np.resize([1.0, 1.0, 3.0, 1.0], lanes))
    assert np.isnan(results["sum"]).all()


def test_max_finds_every_lane(operations, dtype):
    for lane in range(_lanes(dtype)):
        x = np.zeros(_lanes(dtype))
        x[lane] = 5
        assert (operations(x, x, x)["max"] == 5).all()
        assert (operations(-x, x, x)["max"] == 0).all()
        assert (operations(x, x, x)["sum"] == 5).all()


def test_first_lanes(dtype, rng):
    x = rng.standard_normal(_lanes(dtype)).astype(dtype)
    for count in range(_lanes(dtype) + 1):
        out = np.full_like(x, np.nan)
        _first_lanes(x, count, out)
        np.testing.assert_array_equal(out, np.where(np.arange(len(x)) < count, x, dtype.type(-7)))


@numba.njit
def _load_first(source, start, count, out):
    v.store(v.load_first(pointer(source, start), count), pointer(out, 0))


def test_load_first(dtype, rng):
    lanes = _lanes(dtype)
    x = rng.standard_normal(2 * lanes).astype(dtype)
    for start in (0, 3):
        for count in range(-1, lanes + 3):
            out = np.full(lanes, np.nan, dtype)
            _load_first(x, start, count, out)
            np.testing.assert_array_equal(out, np.where(np.arange(lanes) < count, x[start : start + lanes], 0))


@pytest.mark.skipif(os.name != "posix", reason="mprotect")
def test_load_first_reads_nothing_behind():
    assert printed("read_at_the_end_of_memory") == "read"


@pytest.mark.parametrize("stored", DTYPES, ids=str)
def test_load_converted(stored, dtype, rng):
    lanes = _lanes(dtype)
    if stored.kind == "f":
        source = np.concatenate([[0.0, -0.0, 1.5, -np.pi, 1e-30, 1e30], rng.standard_normal(94)]).astype(stored)
    else:
        limits = np.iinfo(stored)
        source = rng.integers(limits.min, limits.max, 100, stored, endpoint=True)
        source[:4] = limits.min, limits.max, 0, 1
    for start in range(0, len(source) - lanes, 3):  # addresses that are aligned only to an element
        out = np.full(lanes, np.nan, dtype)
        _convert(source, start, out)
        np.testing.assert_array_equal(out, source[start : start + lanes].astype(dtype))
