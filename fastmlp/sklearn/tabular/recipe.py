"""RealMLP-TD-S: how the networks of the estimators for tables begin and are trained.

Holzmüller, Grinsztajn and Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data"
(2024).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp import init
from fastmlp.history import History
from fastmlp.losses import Loss
from fastmlp.many import train_many
from fastmlp.mlp import MLP
from fastmlp.multipliers import RateMultipliers
from fastmlp.optimizers import Adam
from fastmlp.schedules import CosLog
from fastmlp.stopping import EarlyStopping
from fastmlp.train import train

BETA_2 = 0.95
RATE_OF_BIASES, RATE_OF_FACTORS = 0.1, 6.0  # beside that of the weights


@dataclass(frozen=True)
class Recipe:
    """What differs from one training to another.

    Attributes
    ----------
    hidden : tuple of int
        Widths of the hidden layers.
    activation, output : str
        Of the network.
    loss : Loss
        That is minimised.
    learning_rate : float
        The highest rate.
    batch_size : int
        About so many rows are a mini-batch.
    epochs : int
        How many there are.
    """

    hidden: tuple[int, ...]
    activation: str
    output: str
    loss: Loss
    learning_rate: float
    batch_size: int
    epochs: int

    def networks(self, n_inputs: int, n_outputs: int, seeds: Sequence[int], dtype: str = "float32") -> list[MLP]:
        """Return the networks before their training: the last layer is 0, the other parameters are normal."""
        widths = [n_inputs, *self.hidden, n_outputs]
        drawn = len(self.hidden)
        return [
            MLP(
                widths,
                activation=self.activation,
                output=self.output,
                init=[*drawn * [init.lecun()], init.zeros()],
                bias_init=[*drawn * [init.simple(1.0)], init.zeros()],
                input_factors=True,
                dtype=dtype,
                seed=seed,
            )
            for seed in seeds
        ]

    def rows_per_step(self, n: int) -> int:
        """Return the size of mini-batches of equal size, close to `batch_size`; n is the number of training rows."""
        return math.ceil(n / max(1, round(n / self.batch_size)))

    def train(
        self,
        nets: list[MLP],
        rows: tuple[np.ndarray, np.ndarray, np.ndarray | None],
        validation: Any,
        seeds: Sequence[int],
        *,
        threads: int,
        progress: bool | None,
    ) -> list[History]:
        """Train networks on the same rows: several at once where each has a thread of its own, else one by one.

        After Ctrl-C, histories of networks that were not trained are missing or have no records.
        """
        x, targets, weights = rows
        stop = None
        if validation is not None:
            stop = EarlyStopping("cost", min_delta=0.0, patience=self.epochs, ties="last")
        options: dict[str, Any] = {
            "validation": validation, "loss": self.loss, "sample_weight": weights, "epochs": self.epochs, "stop": stop,
            "batch_size": self.rows_per_step(len(x)), "progress": progress, "threads": threads,
        }  # fmt: skip
        optimizer = self.optimizer(x.shape[1])
        if 1 < threads <= len(nets):
            return train_many(nets, x, targets, seeds=list(seeds), optimizers=optimizer, **options)
        histories = list[History]()
        for net, seed in zip(nets, seeds, strict=True):
            histories.append(train(net, x, targets, seed=seed, optimizer=optimizer, **options))
            if histories[-1].stopped_because == "interrupted":
                break
        return histories

    def optimizer(self, n_inputs: int) -> Adam:
        """Return Adam with the rates of the neural tangent parametrisation, as `RateMultipliers` describes it."""
        weights = [1 / math.sqrt(n_in) for n_in in (n_inputs, *self.hidden)]
        rates = RateMultipliers(weights=weights, biases=RATE_OF_BIASES, factors=RATE_OF_FACTORS)
        return Adam(CosLog(self.learning_rate), beta_2=BETA_2, rate_multipliers=rates)
