"""Rounding to bfloat16, pairs of numbers, and the mode in which denormal numbers are 0."""

import numba
import numpy as np
from reference import round_bfloat16

from fastmlp.simd import bfloat16
from fastmlp.simd import vector as v
from fastmlp.simd.pointer import pointer

LANES = 16
TINIEST = np.float32(2.0**-126)  # the smallest normal number


@numba.njit
def _round(x, out):
    for i in range(0, x.size, 16):
        v.store(bfloat16.rounded(v.load(pointer(x, i))), pointer(out, i))


def _rounded(x):
    padded = np.zeros(-(-x.size // LANES) * LANES, np.float32)
    padded[: x.size] = x.ravel()
    out = np.empty_like(padded)
    _round(padded, out)
    return out[: x.size].reshape(x.shape)


def _bits(values):
    return np.ascontiguousarray(values, np.float32).view(np.uint32)


def _upper(values):
    """The upper 16 bits of rounded values, which are their bfloat16 numbers."""
    return (_bits(values) >> 16).astype(np.uint16)


def test_every_upper_half_with_every_kind_of_lower_half():
    lower = np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], np.uint32)
    x = ((np.arange(1 << 16, dtype=np.uint32) << 16)[:, None] | lower).view(np.float32)
    found, expected = _rounded(x), round_bfloat16(np.where(np.isnan(x), np.float32(np.nan), x))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    known = ~np.isnan(expected)
    assert (_bits(found[known]) == _bits(expected[known])).all()
    assert not (_bits(found) & 0xFFFF).any()


def test_hand_worked():
    x = np.array([1.0, 1 + 2**-8, 1 + 2**-8 + 2**-20, 1 + 3 * 2**-8, -255.0, 257.0, 3.4e38, 1e-40, -1e-40], np.float32)
    expected = [1.0, 1.0, 1 + 2**-7, 1 + 2**-6, -255.0, 256.0, np.inf, 0.0, -0.0]
    found = _rounded(x)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


@numba.njit
def _copies(x, rounded, halves, pairs, transposed):
    for r in range(0, 16, 2):
        first, second = v.load(pointer(x, r * 16)), v.load(pointer(x, (r + 1) * 16))
        bfloat16.store_rounded(first, second, pointer(rounded, r * 16))
        bfloat16.store_halves(first, second, pointer(halves, r * 8))
        bfloat16.store_pairs(first, second, pointer(pairs, r * 8))
    bfloat16.transpose_pairs(pointer(x, 0), pointer(transposed, 0))


def _all_copies(x):
    rounded, halves, pairs, transposed = (np.zeros(LANES * LANES // k, np.float32) for k in (1, 2, 2, 2))
    _copies(x, rounded, halves, pairs, transposed)
    return rounded.reshape(x.shape), halves, pairs, transposed


def test_halves_pairs_and_the_transpose(rng):
    x = rng.standard_normal((LANES, LANES)).astype(np.float32)
    rounded, halves, pairs, transposed = _all_copies(x)
    np.testing.assert_array_equal(rounded, round_bfloat16(x))
    np.testing.assert_array_equal(halves.view(np.uint16).reshape(LANES, LANES), _upper(rounded))
    for found, rows in ((pairs, rounded), (transposed, rounded.T)):
        np.testing.assert_array_equal(
            found.view(np.uint16).reshape(LANES // 2, LANES, 2), _upper(rows).reshape(-1, 2, LANES).transpose(0, 2, 1)
        )


def test_two_vectors_are_rounded_as_one_is():
    """A CPU with an instruction for it must give the same, also for NaN, infinities and denormal numbers."""
    lower = np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], np.uint32)
    numbers = ((np.arange(0, 1 << 16, 64, dtype=np.uint32)[:, None] << 16) | lower).ravel()
    numbers = np.concatenate([numbers, numbers + 1, np.uint32(0x7F800000) + lower, np.uint32(0xFF800000) + lower])
    x = np.resize(numbers, -(-numbers.size // 256) * 256).view(np.float32).reshape(-1, LANES, LANES)
    for square in x:
        rounded, halves, _, _ = _all_copies(square)
        np.testing.assert_array_equal(_bits(rounded), _bits(_rounded(square)))
        np.testing.assert_array_equal(halves.view(np.uint16), _upper(_rounded(square)).ravel())


@numba.njit
def _in_mode(x, y, flushed):
    """The products before the mode is set, in the mode, and after it is restored."""
    out = np.empty((3, x.size), np.float32)
    for number in range(3):
        mode = np.int64(0)
        if flushed and number == 1:
            mode = bfloat16.flush_denormals()
        for i in range(x.size):
            out[number, i] = x[i] * y[i]
        if flushed and number == 1:
            bfloat16.set_mode(mode)
    return out


def test_denormal_numbers_are_zero_in_the_mode_and_nowhere_else():
    x = np.array([TINIEST, TINIEST / 2, -TINIEST, 1.0], np.float32)
    y = np.array([0.5, 4.0, 0.5, 1.0], np.float32)  # denormal: the result, a factor, the result, nothing
    before, inside, behind = _in_mode(x, y, True)
    exact = x.astype(np.float64) * y
    np.testing.assert_array_equal(before, exact)
    np.testing.assert_array_equal(behind, exact)
    np.testing.assert_array_equal(inside, [0.0, 0.0, -0.0, 1.0])
    np.testing.assert_array_equal(_in_mode(x, y, False), [exact] * 3)
