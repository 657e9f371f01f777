"""The task of every library: the same data, network and update rule for all."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
Pixels = NDArray[np.uint8]
Rates = NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """An update rule.

    Attributes
    ----------
    name : str
        A key of `RULES`. Each library has a function or a class for each rule.
    label : str
        Name in tables.
    rate : float
        The learning rate of a task without a schedule.
    beta_1, beta_2, epsilon : float
        Parameters of Adam.
    """

    name: str
    label: str
    rate: float
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def adam_step_sizes(self, rates: Rates, done: int) -> Rates:
        """Return the rates of the steps after `done` steps, times Adam's correction for moments that begin at 0."""
        t = np.arange(done + 1, done + len(rates) + 1)
        sizes: Rates = rates * np.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        return sizes


SGD = Rule("sgd", "plain SGD", rate=0.009)  # so small that no network diverges, whatever its initial weights are
ADAM = Rule("adam", "Adam", rate=0.001)
RULES = {rule.name: rule for rule in (SGD, ADAM)}


@dataclass(frozen=True)
class Task:
    """The training of an MLP with ReLU layers, softmax and cross-entropy.

    Attributes
    ----------
    widths : tuple of int
        Number of inputs, widths of the hidden layers, number of classes.
    batch : int
        Rows of a mini-batch.
    threads : int
        Number of threads that the library may use.
    samples : int
        Rows of the data set. An epoch visits each row once, in a new random order.
    rule : Rule
        The update rule.
    matmul_precision : str
        Precision of fastmlp's products. Other libraries have a file for each precision.
    """

    widths: tuple[int, ...]
    batch: int
    threads: int
    samples: int = 48_000
    rule: Rule = SGD
    matmul_precision: str = "float32"

    @property
    def name(self) -> str:
        """The network as it is named, such as 784-128-10."""
        return "-".join(map(str, self.widths))

    @property
    def steps(self) -> int:
        """Number of steps of an epoch."""
        return -(-self.samples // self.batch)

    @property
    def scale(self) -> float:
        """The factor by which the values of `rows` are multiplied."""
        return 1 / 255

    def rows(self) -> tuple[NDArray[Any], Labels]:
        """Return the data set as bytes: a random centre for every class, and noise."""
        rng = np.random.default_rng(0)
        y = rng.integers(0, self.widths[-1], self.samples)
        centres = rng.integers(0, 256, (self.widths[-1], self.widths[0]), dtype=np.int16)
        x = centres[y]
        x += rng.integers(-60, 61, x.shape, dtype=np.int16)
        return x.clip(0, 255).astype(np.uint8), y

    def floats(self) -> tuple[Floats, Labels]:
        """Return the data set scaled to 0 … 1."""
        x, y = self.rows()
        return np.divide(x, 255, dtype=np.float32), y

    def rates(self, epoch: int) -> Rates:
        """Return the learning rate of every step of an epoch, counted from 0."""
        return np.full(self.steps, self.rule.rate)

    def weights(self, seed: int) -> list[Floats]:
        """Return initial weights with the scale of Glorot and Bengio (2010)."""
        rng = np.random.default_rng(seed)
        return [
            rng.standard_normal((n_in, n_out), dtype=np.float32) * np.float32(math.sqrt(2 / (n_in + n_out)))
            for n_in, n_out in pairwise(self.widths)
        ]


class Training(Protocol):
    """A network of one library and its data."""

    def begin(self, seed: int) -> None:
        """Set the task's initial weights of a seed, and biases of 0."""

    def epoch(self, seed: int, rates: Rates) -> None:
        """Train for one epoch, in the order of a seed. Return after all of it has been computed."""

    def predict(self, x: NDArray[Any]) -> Labels:
        """Return the class of every row of `x`, which has the dtype of the library's training data."""
