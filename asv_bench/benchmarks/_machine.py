"""The limits of this machine: multiply-adds with operands in registers, and a barrier between threads."""

import time
from typing import Any

import numba
import numpy as np

from fastmlp.engine.team import run_team
from fastmlp.engine.workspace import aligned
from fastmlp.kernels.panels import Panels
from fastmlp.simd import gemm
from fastmlp.simd.atomics import CONTROL_CELLS, SPINS, barrier
from fastmlp.simd.pointer import pointer
from fastmlp.simd.target import TILES, VECTOR_BYTES

LANES = VECTOR_BYTES // 4
ROWS, COLUMNS = TILES.group, TILES.vectors * LANES  # one tall register tile, or two on top of each other
TERMS = 128  # terms of each sum: both operands together take at most 20 KB, so they fit in the first-level cache
PEAK_SECONDS = 0.05  # seconds of one try; the start of a team takes 0.1 ms


@numba.njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _tiles(a: Any, b: Any, bias: Any, out: Any, calls: int) -> None:
    """Compute the same tile `calls` times: ``out = a·b + bias``, where all arrays are panels."""
    zero = np.float32(0)
    x = Panels(start=pointer(a, 0), stride=ROWS * LANES, rows=ROWS, columns=TERMS)
    weight = Panels(start=pointer(b, 0), stride=TERMS * LANES, rows=TERMS, columns=COLUMNS)
    product = Panels(start=pointer(out, 0), stride=ROWS * LANES, rows=ROWS, columns=COLUMNS)
    for _ in range(calls):
        gemm.forward(x, weight, product, pointer(bias, 0), zero, zero)


@numba.njit(nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _barriers(control: Any, threads: int, rounds: int) -> None:
    """Wait for the other threads at a barrier, `rounds` times."""
    for i in range(rounds):
        barrier(pointer(control, 0), (i + 1) * threads, SPINS)


def compute_tile(calls: int = 1) -> np.ndarray:
    """Return the product of two matrices of ones, as panels; each element is `TERMS`."""
    a, b = aligned(ROWS * TERMS, np.float32), aligned(COLUMNS * TERMS, np.float32)
    bias, out = aligned(COLUMNS, np.float32), aligned(ROWS * COLUMNS, np.float32)
    a[:], b[:] = 1, 1
    _tiles(a, b, bias, out, calls)
    return out


def fma_peak(threads: int, repeats: int) -> float:
    """Return the GFLOP/s of `threads` threads that multiply and add in registers: the best of `repeats` tries."""
    flop = 2.0 * ROWS * COLUMNS * TERMS
    compute_tile()
    start = time.perf_counter()
    compute_tile(1000)
    calls = max(1, int(1000 * PEAK_SECONDS / (time.perf_counter() - start)))
    return (
        max(threads * calls * flop / seconds_of_team(threads, lambda _: compute_tile(calls)) for _ in range(repeats))
        / 1e9
    )


def barrier_nanoseconds(threads: int, rounds: int, repeats: int) -> float:
    """Return the nanoseconds of one barrier between `threads` threads: the best of `repeats` tries."""
    _barriers(aligned(CONTROL_CELLS, np.int64), 1, 1)
    best = np.inf
    for _ in range(repeats):
        control = aligned(CONTROL_CELLS, np.int64)
        seconds = seconds_of_team(threads, lambda _, control=control: _barriers(control, threads, rounds))
        best = min(best, seconds / rounds * 1e9)
    return float(best)


def seconds_of_team(threads: int, worker: Any) -> float:
    """Run ``worker(thread)`` in a team of threads, pinned as in the engine; return the seconds."""
    start = time.perf_counter()
    run_team(worker, threads, aligned(CONTROL_CELLS, np.int64))
    return time.perf_counter() - start
