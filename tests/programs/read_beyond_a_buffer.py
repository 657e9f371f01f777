"""Read a buffer, and then the element after its end or before its beginning, which ends the process."""

import ctypes
import resource
import sys

import numpy as np
from guarded_buffers import beginning, ending

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
mode, size = sys.argv[1], int(sys.argv[2])
buffer = {"end": ending, "begin": beginning}[mode](size, np.float64)
buffer[:] = 1
print(buffer.sum(), end="", flush=True)
beyond = size if mode == "end" else -1
print(ctypes.c_double.from_address(buffer.ctypes.data + beyond * buffer.itemsize).value, end="")
