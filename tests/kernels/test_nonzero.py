"""The lists of terms that are not zero, against NumPy."""

import numba
import numpy as np
import pytest

from fastmlp.engine.workspace import aligned, to_panels
from fastmlp.kernels.nonzero import HEIGHT, IN_ORDER, SWAPPED, list_columns, list_rows, lists_bytes
from fastmlp.kernels.panels import Panels
from fastmlp.simd.gemm import LIST, LISTED
from fastmlp.simd.pointer import pointer

GUARD = 99


@numba.njit
def _columns(x, rows, n_in, panel, lists, order):
    list_columns(Panels(start=pointer(x, 0), stride=panel, rows=rows, columns=n_in), pointer(lists, 0), order)


@numba.njit
def _rows(x, columns, rows, lists, order):
    list_rows(Panels(start=pointer(x, 0), stride=0, rows=rows, columns=columns), pointer(lists, 0), order)


def _sparse(rng, shape, share):
    values = rng.standard_normal(shape)
    values[rng.random(shape) > share] = 0
    values[rng.random(shape) < 0.1] = -0.0
    return values


def _terms(record):
    return record[1 : 1 + record[0]].tolist()


def _expected(some, order=IN_ORDER):
    """The terms for which `some (terms, height)` has a number that is not zero; at least one term."""
    places = some.any(axis=1).nonzero()[0].tolist() or [0]
    return places if order == IN_ORDER else sorted(places, key=lambda place: place ^ 1)


@pytest.fixture(params=[IN_ORDER, SWAPPED], ids=["in_order", "swapped"])
def order(request):
    """The order of the terms in a list."""
    return request.param


def _panels(x, height):
    lanes = 64 // x.itemsize
    panels = aligned(-(-x.shape[1] // lanes) * height * lanes, x.dtype)
    to_panels(np.vstack([x, np.zeros((height - len(x), x.shape[1]), x.dtype)]), lanes, panels)
    return panels, lanes


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 1.0])
def test_columns_of_each_tile(dtype, share, order):
    rng = np.random.default_rng(0)
    for rows in (1, 2, 3, 4, 5, 8, 96, 97):
        for n_in in (1, 7, 16, 17, 127, 128, 129, 300):
            x = _sparse(rng, (rows, n_in), share).astype(dtype)
            height = (rows + 3) // 4 * 4 + 1
            panels, lanes = _panels(x, height)
            lists = np.full(lists_bytes(rows, n_in, lanes) + 16, GUARD, np.uint8)
            _columns(panels, rows, n_in, height * lanes, lists, order)
            stride = -(-n_in // LISTED) * LIST
            assert (lists[-16:] == GUARD).all()
            for tile, first in enumerate(range(0, rows, HEIGHT)):
                for part, start in enumerate(range(0, n_in, LISTED)):
                    some = x[first : first + HEIGHT, start : start + LISTED]
                    # a list may contain -0.0, since not all of its bits are zero
                    exact, signed = _expected(some.T != 0), _expected((some.T != 0) | np.signbit(some.T), order)
                    found = _terms(lists[tile * stride + part * LIST :])
                    assert found == signed
                    assert set(exact) - {0} <= set(found)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 1.0])
def test_rows_of_each_tile(dtype, share, order):
    rng = np.random.default_rng(1)
    lanes = 64 // dtype.itemsize
    for columns in range(4, lanes + 1, 4):
        for rows in (1, 2, 7, 8, 9, 63, 64, 127, LISTED):
            x = np.abs(_sparse(rng, (rows, lanes), share)).astype(dtype)
            x[:, columns:] = 1
            lists = np.full(lists_bytes(1, 1, lanes) + 16, GUARD, np.uint8)
            _rows(np.ascontiguousarray(x), columns, rows, lists, order)
            assert (lists[-16:] == GUARD).all()
            for tile in range(columns // HEIGHT):
                some = x[:, tile * HEIGHT : (tile + 1) * HEIGHT]
                assert _terms(lists[tile * LIST :]) == _expected(some != 0, order)


def test_nan_is_not_zero(dtype):
    x = np.zeros((4, 32), dtype)
    x[1, 5] = np.nan
    panels, lanes = _panels(x, 5)
    lists = np.zeros(lists_bytes(4, 32, lanes), np.uint8)
    _columns(panels, 4, 32, 5 * lanes, lists, IN_ORDER)
    assert _terms(lists[1 // HEIGHT * LIST :]) == [5]
