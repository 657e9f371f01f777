"""What `fastmlp.train` does before it changes anything: its arguments are checked, and the rows are split."""

from typing import Any, NamedTuple

import numpy as np

from fastmlp import engine, passes
from fastmlp.inputs import checks
from fastmlp.inputs.splitting import Dataset, UserData
from fastmlp.losses import Loss
from fastmlp.mlp import MLP
from fastmlp.optimizers import Optimizer, State
from fastmlp.passes import Rows
from fastmlp.stopping import EarlyStopping, Patience


class Hyperparameters(NamedTuple):
    """How a network is to be trained, as the user passed it, not yet checked; `fastmlp.train` describes it."""

    optimizer: Optimizer
    loss: Loss | None
    batch_size: int
    epochs: int
    stop: EarlyStopping | None
    matmul_precision: str


class Prepared(NamedTuple):
    """What `prepare` returns.

    Attributes
    ----------
    training, held_out : Dataset or StreamedRows
        The rows; the second may be None.
    loss : Loss
        That is minimised.
    rng : numpy.random.Generator
        Behind the draws of the split and of the key.
    batch_size, epochs : int
        The first is at most the number of rows.
    patience : Patience or None
        Where there is a stopping rule.
    key : int
        Of the dropout masks.
    """

    training: "Rows"
    held_out: "Rows | None"
    loss: Loss
    rng: np.random.Generator
    batch_size: int
    epochs: int
    patience: Patience | None
    key: int


def prepare(
    net: MLP, data: UserData, how: Hyperparameters, *, state: State | None, seed: int | np.random.Generator
) -> Prepared:
    """Check what a training depends on, as `train` describes it, and split the rows; the network is not changed."""
    optimizer = how.optimizer
    checks.instance("net", net, MLP)
    checks.instance("optimizer", optimizer, Optimizer)
    batch_size, epochs = checks.count("batch_size", how.batch_size), checks.count("epochs", how.epochs)
    rng = checks.generator("seed", seed)
    loss = net.loss_of(how.loss)
    checks.matmul_precision(how.matmul_precision, net.dtype)
    optimizer.rate_multipliers.of_layers(len(net.widths) - 1)  # raises where it is for another number
    if state is not None:
        checks.instance("state", state, State)
        engine.check_state(state, optimizer, net.network.parameters)
    training, held_out = passes.split(net, loss, data, rng)
    batch_size = min(batch_size, training.n)
    patience = _patience(how.stop, net, held_out, -(-training.n // batch_size))
    key = int(rng.integers(1 << 63)) if any(net.dropout) and state is None else 0  # a state has its own
    return Prepared(training, held_out, loss, rng, batch_size, epochs, patience, key)


def _patience(stop: Any, net: MLP, held_out: "Rows | None", steps: int) -> Patience | None:
    if stop is None:
        return None
    checks.instance("stop", stop, EarlyStopping)
    if held_out is None:
        raise ValueError("stop needs validation, a fraction or a pair (X_val, y_val), got validation=None")
    if stop.metric == "accuracy" and not net.architecture.has_classes:
        raise ValueError(
            f"metric='accuracy' needs output='softmax' or 'logistic', got output={net.output!r}; take metric='cost'"
        )
    if callable(stop.metric) and not isinstance(held_out, Dataset):
        raise ValueError(
            "a metric of your own needs validation=(X_val, y_val) in one process: rows of a stream, or of several "
            "processes, are never all in memory"
        )
    return Patience(stop, stop.epochs_of_patience(steps))
