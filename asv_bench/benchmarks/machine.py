"""The machine's FMA peak and the time of a barrier. They help to distinguish a slow commit from a slow machine."""

from ._data import THREADS, use_threads
from ._machine import barrier_nanoseconds, fma_peak
from ._pages import shown_as

ROUNDS = 100_000
REPEATS = 7


class Peak:
    params = (THREADS,)
    param_names = ("threads",)

    def setup(self, threads: int) -> None:
        use_threads(threads)

    @shown_as("Machine: FMA peak (more is better)", unit="GFLOP/s")
    def track_fma_peak(self, threads: int) -> float:
        return fma_peak(threads, REPEATS)


class Barrier:
    params = ([2],)
    param_names = ("threads",)

    def setup(self, threads: int) -> None:
        use_threads(threads)

    @shown_as("Machine: a barrier between the threads", unit="ns")
    def track_barrier(self, threads: int) -> float:
        return barrier_nanoseconds(threads, ROUNDS, REPEATS)
