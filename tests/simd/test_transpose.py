"""Transposes against NumPy's."""

from dataclasses import replace

import numba
import numpy as np
import pytest

from fastmlp.simd import transpose
from fastmlp.simd.pointer import pointer
from fastmlp.simd.target import TILES, VECTOR_BYTES


@pytest.mark.parametrize("register", [16, 32, 64])  # SSE and NEON, AVX2, AVX-512
def test_transpose_tile(register, dtype, monkeypatch):
    monkeypatch.setattr(transpose, "TILES", replace(TILES, register=register))
    write = numba.njit(lambda source, target: transpose.transpose_tile(pointer(source, 0), pointer(target, 0)))
    n = VECTOR_BYTES // dtype.itemsize
    source = np.arange(n * n, dtype=dtype).reshape(n, n)
    guarded = np.full((n + 2, n), np.nan, dtype)
    write(source, guarded[1:-1])
    np.testing.assert_array_equal(guarded[1:-1], source.T)
    assert np.isnan(guarded[[0, -1]]).all()
