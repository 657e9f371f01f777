"""Training and prediction on data with many zeros. As in images and one-hot columns, the zeros are side by side."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastmlp
from fastmlp.engine import Trainer

from ._data import Array, labels, make_network, pixels, use_threads
from ._pages import shown_as

SAMPLES = 24_000
STEPS = 40  # steps of one measurement
RUN = 7  # number of zeros, or of pixels, side by side
ZEROS = [0.0, 0.5, 0.8, 0.95]

Costs = NDArray[np.float64]


def runs_of_pixels(n: int, width: int, zeros: float) -> NDArray[np.uint8]:
    """Return `pixels` with a share `zeros` of zeros."""
    kept = np.random.default_rng(3).random((n, -(-width // RUN))) >= zeros
    return pixels(n, width) * kept.repeat(RUN, axis=1)[:, :width]


class Zeros:
    """Several shares of zeros. Without zeros, no product is left out."""

    params = (ZEROS, ["784-20-7-5-10", "784-128-10"], [1, 2])
    param_names = ("zeros", "network", "threads")
    timeout = 600.0

    def setup(self, zeros: float, network: str, threads: int) -> None:
        use_threads(threads)
        self.threads = threads
        self.net = make_network(network)
        self.x = runs_of_pixels(SAMPLES, self.net.n_inputs, zeros)
        y = labels(SAMPLES, self.net.n_classes)
        trained: Any = getattr(self.net, "network", self.net)  # earlier commits take the network itself
        self.trainer = Trainer(trained, self.x, y, 128, fastmlp.SGD(0.01), threads)
        self.order = np.random.default_rng(0).permutation(SAMPLES)[: STEPS * 128]
        self.time_steps()
        self.time_predict_proba()

    @shown_as(f"Training: {STEPS} steps, by zeros")
    def time_steps(self, *_: object) -> tuple[Costs, ...]:
        return (self.trainer.run_epoch(self.order),)

    @shown_as(f"Prediction of {SAMPLES:,} rows, by zeros")
    def time_predict_proba(self, *_: object) -> tuple[Array, ...]:
        return (self.net.predict_proba(self.x, threads=self.threads),)
