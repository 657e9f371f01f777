"""The kernel that tests add to a copy of the package."""

from fastmlp.kernels.probe_part import FACTOR, part
from numba import prange

from fastmlp.compilation.jit import driver


@driver
def probe(x, out):
    for i in prange(len(x)):
        out[i] = FACTOR * part(x[i])
