"""What the matrix products read: the numbers themselves, or bfloat16, by the quicker of two ways with the same bits."""

import functools
import time

import numpy as np

from fastmlp.compilation.jit import worker
from fastmlp.engine.timing import Timing, keep_timing, kept_timing
from fastmlp.engine.workspace import aligned
from fastmlp.kernels.bfloat16 import FLOAT32, PACKED, PLAIN, ROUNDED, products
from fastmlp.kernels.nonzero import FORWARD
from fastmlp.kernels.panels import dense, panels_in
from fastmlp.simd.kinds import Array
from fastmlp.simd.pointer import pointer
from fastmlp.simd.target import HAS_BFLOAT16, VECTOR_BYTES

ROWS, WIDTH = 96, 256  # of the product that is timed; its operands fill 450 KB in float32, 225 KB in bfloat16
CALLS, ROUNDS = 4, 25  # the two ways take turns; all rounds together take about 10 ms

_call = FORWARD.call


@worker
def _multiply(function: int, x: Array, weight: Array, bias: Array, out: Array, calls: int) -> None:
    width, rows = bias.size, out.shape[1]
    below, above = panels_in(x, rows, width), panels_in(out, rows, width)
    lists = pointer(np.empty(1, np.uint8), 0)
    for _ in range(calls):
        weights = dense(pointer(weight, 0), width, width)
        _call(function, (below, weights, pointer(bias, 0), above, 0, 1.0, lists))


def _measure() -> Timing:
    lanes = VECTOR_BYTES // FLOAT32.itemsize
    x, out = (aligned(WIDTH * ROWS, FLOAT32).reshape(WIDTH // lanes, ROWS, lanes) for _ in range(2))
    weight, bias = aligned(WIDTH * WIDTH, FLOAT32), aligned(WIDTH, FLOAT32)
    functions = [products(operands).forward for operands in (ROUNDED, PACKED)]
    seconds: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for function, found in zip(functions, seconds, strict=True):
            started = time.perf_counter()
            _multiply(function, x, weight, bias, out, CALLS)
            found.append(time.perf_counter() - started)
    return Timing(*(min(found) / CALLS for found in seconds))


@functools.cache
def timing() -> Timing:
    """Return how long a product takes in either way; it is measured once and kept with the compiled kernels."""
    found = kept_timing()
    if found is None:
        found = _measure()
        keep_timing(found)
    return found


def operands_of(matmul_precision: str) -> int:
    """Return the kind of operands for a precision, "float32" or "bfloat16"."""
    if matmul_precision == "float32":
        return PLAIN
    return PACKED if HAS_BFLOAT16 and timing().packed_is_quicker else ROUNDED
