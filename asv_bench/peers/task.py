"""What every library is asked to do: data, network and rate, the same for all."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

RATE = 0.009  # small: none of the networks diverges, whatever draws its first weights

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Task:
    """Plain SGD, without momentum, on the mean cross-entropy of an MLP with ReLU layers, float32.

    Attributes
    ----------
    widths : tuple of int
        Of inputs, hidden layers and classes.
    batch : int
        Rows of a mini-batch.
    threads : int
        That the library may use.
    samples : int
        Rows of the data set; an epoch visits each once, in an order drawn afresh.
    """

    widths: tuple[int, ...]
    batch: int
    threads: int
    samples: int = 48_000

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.samples // self.batch)

    def pixels(self) -> tuple[Pixels, Labels]:
        """Return the data set: a random centre for every class, and noise."""
        rng = np.random.default_rng(0)
        y = rng.integers(0, self.widths[-1], self.samples)
        centres = rng.integers(0, 256, (self.widths[-1], self.widths[0]), dtype=np.int16)
        x = centres[y]
        x += rng.integers(-60, 61, x.shape, dtype=np.int16)
        return x.clip(0, 255).astype(np.uint8), y

    def floats(self) -> tuple[Floats, Labels]:
        """Return the data set scaled to 0 … 1."""
        x, y = self.pixels()
        return np.divide(x, 255, dtype=np.float32), y

    def weights(self) -> list[Floats]:
        """Return first weights of the scale of Glorot and Bengio (2010)."""
        rng = np.random.default_rng(1)
        return [
            rng.standard_normal((n_in, n_out), dtype=np.float32) * np.float32(math.sqrt(2 / (n_in + n_out)))
            for n_in, n_out in pairwise(self.widths)
        ]


class Training(Protocol):
    """A network of one library and its data."""

    def epoch(self, seed: int) -> None:
        """Train for one epoch; come back when all of it has been computed."""

    def predict(self) -> Labels:
        """Return the class of every row of the data set."""
