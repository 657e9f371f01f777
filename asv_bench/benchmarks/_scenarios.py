"""The scenarios that all kernel families have in common. This file has no benchmark.

All combinations of the parameters would take hours. So the kernel families vary layers, batches and threads in float32,
and the scenarios of this file vary width, dtype and odd sizes on one thread.
"""

from abc import ABC, abstractmethod

from ._data import DTYPES, use_threads

BATCH = 128  # rows; the test of the benchmarks makes this smaller, but it must not change the widths
WIDTHS = [16, 128, 512, 2048]
ODD = [17, 257, 1023]  # sizes that are one above or one below a multiple of vectors and tiles


class Kernels(ABC):
    """The kernels of one family, and the arrays that they work on."""

    @abstractmethod
    def allocate(self, batch: int, n_in: int, n_out: int, dtype: str) -> None:
        """Make the arrays of a layer."""

    def prepare(self, threads: int, batch: int, n_in: int, n_out: int, dtype: str = "float32") -> None:
        """Make the arrays, compile, and touch every page."""
        use_threads(threads)
        self.allocate(batch, n_in, n_out, dtype)
        for name in dir(self):
            if name.startswith("time_"):
                getattr(self, name)()


class ByWidth(Kernels):
    """Layers whose weights fit in the first-level cache, up to layers whose weights fit in no cache."""

    params = (WIDTHS, DTYPES)
    param_names = ("width (inputs and outputs)", "dtype")

    def setup(self, width: int, dtype: str) -> None:
        self.prepare(1, BATCH, width, width, dtype)


class OddSizes(Kernels):
    """Sizes that are no multiple of a vector or a tile, to measure the cost of the incomplete ones."""

    params = (ODD, DTYPES)
    param_names = ("size (rows, inputs and outputs)", "dtype")

    def setup(self, size: int, dtype: str) -> None:
        self.prepare(1, size, size, size, dtype)
