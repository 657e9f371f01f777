"""The scenarios that all kernel families have in common; itself no benchmark.

Their full product would take hours: layers, batches and threads vary in float32, and here width, dtype and odd sizes
vary on one thread.
"""

from abc import ABC, abstractmethod

from ._data import DTYPES, use_threads

BATCH = 128  # rows; the test of the benchmarks shrinks it, as it must not shrink the widths
WIDTHS = [16, 128, 512, 2048]
ODD = [17, 257, 1023]  # one more than whole vectors and tiles, or one less


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
    """From a layer that stays in the first-level cache to one whose weights stay in none."""

    params = (WIDTHS, DTYPES)
    param_names = ("width (inputs and outputs)", "dtype")

    def setup(self, width: int, dtype: str) -> None:
        self.prepare(1, BATCH, width, width, dtype)


class OddSizes(Kernels):
    """Sizes that no vector and no tile divides: what the rests cost."""

    params = (ODD, DTYPES)
    param_names = ("size (rows, inputs and outputs)", "dtype")

    def setup(self, size: int, dtype: str) -> None:
        self.prepare(1, size, size, size, dtype)
