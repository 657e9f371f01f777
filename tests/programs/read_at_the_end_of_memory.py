"""Load vectors that end where an unreadable page begins."""

import ctypes
import mmap

import numba
import numpy as np

from fastmlp.simd import vector as v
from fastmlp.simd.pointer import pointer

memory = mmap.mmap(-1, 2 * mmap.PAGESIZE)
whole = np.frombuffer(memory, np.uint8)
nothing = ctypes.c_void_p(whole.ctypes.data + mmap.PAGESIZE)
assert ctypes.CDLL(None, use_errno=True).mprotect(nothing, ctypes.c_size_t(mmap.PAGESIZE), 0) == 0  # PROT_NONE


@numba.njit
def first(source, start, count, out):
    v.store(v.load_first(pointer(source, start), count), pointer(out, 0))


for dtype in (np.float32, np.float64):
    page = whole[: mmap.PAGESIZE].view(dtype)
    page[:] = np.arange(len(page))
    out = np.empty(64 // page.itemsize, dtype)
    for count in range(len(out) + 1):
        first(page, len(page) - count, count, out)
        assert (out[:count] == page[len(page) - count :]).all()
        assert not out[count:].any()
print("read", end="")
