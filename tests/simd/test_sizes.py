"""Counts that are rounded up: the same in Python and in compiled code."""

import numba
import pytest

from fastmlp.simd.sizes import ceil_divide, round_up


@numba.njit
def _compiled(n, size):
    return ceil_divide(n, size), round_up(n, size)


@pytest.mark.parametrize("size", [1, 2, 4, 7, 16])
def test_pieces_hold_all_and_no_more(size):
    for n in range(50):
        pieces, whole = ceil_divide(n, size), round_up(n, size)
        assert pieces * size == whole
        assert n <= whole < n + size
        assert _compiled(n, size) == (pieces, whole)
