"""Training of many networks at once, each in one thread, beside the same networks one after the other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastmlp

from ._data import labels, normal, use_threads, widths_of
from ._pages import shown_as

SAMPLES = 10_000
COUNTS = {"20-64-32-2": 20, "100-64-10": 8}  # networks of each kind
BATCH = 200
RATE = 0.002

Costs = NDArray[np.float64]


class Networks:
    """One epoch of Adam, with the checks and histories."""

    params = (list(COUNTS), [1, 2])
    param_names = ("networks", "threads")
    timeout = 600.0

    def setup(self, network: str, threads: int) -> None:
        if not hasattr(fastmlp, "train_many"):
            raise NotImplementedError("there is no train_many")
        use_threads(threads)
        widths = widths_of(network)
        self.x, self.y = normal(SAMPLES, widths[0]), labels(SAMPLES, widths[-1])
        self.nets = [fastmlp.MLP(widths, seed=seed) for seed in range(COUNTS[network])]
        self.settings: dict[str, Any] = {
            "validation": None, "batch_size": BATCH, "epochs": 1, "progress": False, "threads": threads,
        }  # fmt: skip
        self.time_train_many()
        self.time_one_after_the_other()

    @shown_as("Many networks: train_many, one epoch")
    def time_train_many(self, *_: object) -> tuple[Costs, ...]:
        histories = fastmlp.train_many(self.nets, self.x, self.y, optimizers=fastmlp.Adam(RATE), **self.settings)
        return tuple(history.batch_costs for history in histories)

    @shown_as("Many networks: one after the other, one epoch")
    def time_one_after_the_other(self, *_: object) -> tuple[Costs, ...]:
        return tuple(
            fastmlp.train(net, self.x, self.y, optimizer=fastmlp.Adam(RATE), **self.settings).batch_costs
            for net in self.nets
        )
