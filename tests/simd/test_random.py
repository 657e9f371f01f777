"""Philox4x32-10 against known answers. The tests see its words through the masks that are made from them."""

import numba
import numpy as np
import pytest
from reference import WORD, philox

from fastmlp.simd import vector as v
from fastmlp.simd.pointer import number, pointer
from fastmlp.simd.random import keep_mask
from fastmlp.simd.target import VECTOR_BYTES


@numba.njit
def _keep_mask(key, column, row, step, threshold, factor, out):
    like = v.load(pointer(out, 0))
    masks = keep_mask(like, key, column, row, step, threshold, number(pointer(out, 0), factor))
    for i in range(4):
        v.store(masks[i], pointer(out, i * v.lanes(pointer(out, 0))))


@pytest.fixture
def masks(dtype):
    """A function that returns the masks of four rows, each with as many columns as a vector has lanes."""

    def call(counter, key, threshold, factor=1.0):
        out = np.full((4, VECTOR_BYTES // dtype.itemsize), np.nan, dtype)
        column, row, *step = counter
        _keep_mask(_signed(key), column, row, _signed(step), threshold, factor, out)
        return out

    return call


def _signed(halves):
    """A signed number of 64 bits, like Numba's integers, from its low and high half."""
    return int(np.uint64(halves[0] | halves[1] << 32).astype(np.int64))


# from the file kat_vectors of the Random123 library (Salmon et al.): counter, key, words
KNOWN = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([WORD] * 4, [WORD] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_known_answers(counter, key, words, masks):
    assert list(philox(counter, key)) == words
    for i, word in enumerate(words):  # a threshold equal to the word keeps the element, a threshold one higher drops it
        assert masks(counter, key, word)[i, 0] == 1
        assert masks(counter, key, word + 1)[i, 0] == 0


def test_every_lane_has_a_column_of_its_own(masks):
    first, row, low, high = 48, 1001, 77, 3
    key = [0x89ABCDEF, 0x01234567]
    shape = masks([first, row, low, high], key, 0).shape
    expected = np.array([philox((first + lane, row, low, high), key) for lane in range(shape[1])]).T
    assert len(np.unique(expected)) == expected.size
    for i, lane in np.ndindex(shape):
        for threshold in (expected[i, lane], expected[i, lane] + 1):
            found = masks([first, row, low, high], key, int(threshold))
            np.testing.assert_array_equal(found, expected >= threshold)


def test_factor_and_the_ends_of_the_threshold(masks):
    assert (masks([1, 2, 3, 4], [5, 6], 0, 1.25) == 1.25).all()
    assert (masks([1, 2, 3, 4], [5, 6], WORD, 1.25) == 0).all()
