"""The memory of the whole process, and the memory that `fastmlp.train` allocates in addition to the data set."""

import tracemalloc

from . import startup
from ._data import NETWORKS, labels, make_network, pixels, use_threads, widths_of
from ._pages import shown_as
from .training import Costs, train_one_epoch

SAMPLES = 48_000


class Training:
    """A network and a data set. This class has no benchmark."""

    params = (NETWORKS, [128, 1000], [2])
    param_names = ("network", "batch (rows)", "threads")
    timeout = 600.0

    def setup_cache(self) -> None:
        """Compile; asv does it in a process of its own, as the compiler's memory is not the training's."""
        startup.run(startup.TRAINING)

    setup_cache.timeout = 600.0  # type: ignore[attr-defined]

    def setup(self, network: str, batch: int, threads: int) -> None:
        use_threads(threads)
        self.net = make_network(network)
        self.X, self.y = pixels(SAMPLES, self.net.n_inputs), labels(SAMPLES, self.net.n_classes)


class ProcessMemory(Training):
    """The whole process: interpreter, Numba, compiled code, data set and training."""

    @shown_as("Memory: peak of a process that trains")
    def peakmem_epoch(self, network: str, batch: int, threads: int) -> tuple[Costs, ...]:
        return (train_one_epoch(self.net, self.X, self.y, batch, threads),)


class TrainingMemory(Training):
    """The peak of the memory that one epoch allocates: the engine's parameters, snapshots, activations, the order."""

    def setup(self, network: str, batch: int, threads: int) -> None:
        super().setup(network, batch, threads)
        train_one_epoch(self.net, self.X[:batch], self.y[:batch], batch, threads)  # loads the kernels

    @shown_as("Memory: training allocates", unit="bytes")
    def track_allocated(self, network: str, batch: int, threads: int) -> int:
        tracemalloc.start()  # NumPy reports its arrays to it
        try:
            train_one_epoch(self.net, self.X, self.y, batch, threads)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    @shown_as("Memory: training allocates, in mini-batches", unit="mini-batches of float32 activations")
    def track_allocated_in_batches(self, network: str, batch: int, threads: int) -> float:
        activations = 4 * batch * sum(widths_of(network))
        return self.track_allocated(network, batch, threads) / activations
