"""Functions that are called by their address: arguments arrive, and calls with other arguments do not compile."""

from typing import Any, NamedTuple

import numba
import numpy as np
import pytest
from numba import types
from numba.core.errors import TypingError

from fastmlp.simd.interface import Interface
from fastmlp.simd.pointer import cast_address, pointer


class Pair(NamedTuple):
    start: Any
    count: Any


FILL = Interface(
    lambda real: (
        types.CPointer(types.uint8),
        types.NamedTuple((types.CPointer(real), types.int64), Pair),
        types.float64,
    )
)
_call = FILL.call


def _fill(data, out, factor):
    for i in range(out.count):
        out.start[i] = data[i] * factor


@numba.njit
def _run(function, data, out, factor):
    values = cast_address(data.ctypes.data, np.uint8(0))
    _call(function, (values, Pair(start=pointer(out, 0), count=np.int64(len(out))), factor))


@pytest.mark.parametrize("data", ["uint8", "int32", "float64"])
def test_arguments_arrive(data, dtype):
    function = FILL.address(_fill, dtype, data=numba.from_dtype(np.dtype(data)))
    source, out = np.arange(5).astype(data), np.zeros(5, dtype)
    _run(function, source, out, 0.5)
    np.testing.assert_array_equal(out, source * 0.5)


def test_other_arguments_do_not_compile(dtype):
    function = FILL.address(_fill, dtype)
    with pytest.raises(TypingError, match="the function takes"):
        _run(function, np.zeros(3, np.uint8), np.zeros(3, dtype), np.float32(1))
    with pytest.raises(TypingError, match="the function takes"):
        _run(function, np.zeros(3, np.uint8), np.zeros(3, np.int32), 1.0)
