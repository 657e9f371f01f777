"""Seeded arrays, networks and a fixed number of threads, for all benchmarks."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

import fastmlp

Array = NDArray[np.floating]

LAYERS = ["784x20", "784x128", "512x512"]  # inputs x outputs
NETWORKS = ["784-20-7-5-10", "784-128-10", "784-512-512-10"]
NORMS = ["none", "after_relu", "before_relu"]
BATCHES = [32, 128, 1000]
THREADS = [1, 2]
DTYPES = ["float32", "float64"]


def normal(*shape: int, seed: int = 0, dtype: str = "float32") -> Array:
    """Return seeded standard normal values; those of both dtypes differ only by rounding."""
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32).astype(dtype, copy=False)


def labels(n: int, n_classes: int) -> NDArray[np.int64]:
    """Return `n` seeded class indices."""
    return np.random.default_rng(1).integers(n_classes, size=n)


def pixels(n: int, width: int) -> NDArray[np.uint8]:
    """Return a seeded data set that resembles MNIST."""
    return np.random.default_rng(2).integers(256, size=(n, width), dtype=np.uint8)


def widths_of(network: str) -> list[int]:
    """Return the widths in a name such as ``784-128-10``."""
    return [int(width) for width in network.split("-")]


def make_network(network: str, norm: str = "none", **functions: Any) -> fastmlp.MLP:
    """Return a network for `pixels`. `functions` are further arguments, which early commits do not know."""
    batch_norm = None if norm == "none" else fastmlp.BatchNorm(placement=norm)
    return fastmlp.MLP(widths_of(network), input_scale=1 / 255, batch_norm=batch_norm, **functions)


def use_threads(threads: int) -> None:
    """Run kernels on `threads` threads. If Numba was started with fewer, asv skips the benchmark."""
    if threads > numba.config.NUMBA_NUM_THREADS:
        raise NotImplementedError(f"threads={threads}, NUMBA_NUM_THREADS={numba.config.NUMBA_NUM_THREADS}")
    numba.set_num_threads(threads)
