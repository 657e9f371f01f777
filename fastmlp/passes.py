"""What `fastmlp.train` does with rows, in arrays, a stream or several processes: split, trainer, epoch, evaluation."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from fastmlp import engine
from fastmlp.inputs import checks, splitting
from fastmlp.inputs.encoded import Gathered
from fastmlp.inputs.ranked import AnySharedRows, Given
from fastmlp.inputs.splitting import Dataset, UserData
from fastmlp.inputs.streamed import is_stream
from fastmlp.loop import WithinEpoch, train_epoch
from fastmlp.losses import Loss
from fastmlp.mlp import MLP
from fastmlp.network import Network
from fastmlp.optimizers import Optimizer

if TYPE_CHECKING:
    from fastmlp.mpi.rows import SharedRows
    from fastmlp.mpi.streams import SharedStream
    from fastmlp.streaming.rows import StreamedRows

Rows: TypeAlias = "Dataset | StreamedRows | SharedRows | SharedStream"
Evaluate: TypeAlias = Callable[[], tuple[float, float | None]]


def split(net: MLP, loss: Loss, data: UserData, rng: np.random.Generator) -> "tuple[Rows, Rows | None]":
    """Check the data that `fastmlp.train` got; return the rows to train on and those to validate on."""
    X, y, validation, sample_weight, class_weight = data
    if isinstance(X, Given):
        from fastmlp.mpi import splitting as processes

        return processes.split(net, loss, data, rng)
    if is_stream(X):
        from fastmlp.streaming import splitting as streams

        checks.absent_beside_a_stream(y=y, sample_weight=sample_weight)
        return streams.split(net, loss, X, class_weight, validation, rng)
    if is_stream(validation):
        described = net.described(loss.kernel)
        training, _ = splitting.split(net, loss, data._replace(validation=None), rng)
        return training, validation.rows_for(described)
    return splitting.split(net, loss, data, rng)


def trainer(
    net: MLP, rows: "Rows", batch_size: int, optimizer: Optimizer, threads: int, options: "engine.StepOptions"
) -> "engine.Trainer":
    """Return what trains a network on some rows."""
    if isinstance(rows, AnySharedRows):
        return rows.trainer(net.network, batch_size, optimizer, threads, options=options)
    x, targets, weights = _first_rows(rows, batch_size)
    return engine.Trainer(
        net.network, x, targets, batch_size, optimizer, threads, options=options, sample_weight=weights
    )


def _first_rows(rows: "Dataset | StreamedRows", batch_size: int) -> tuple[Gathered, np.ndarray, np.ndarray | None]:
    """Return data, targets and weights that a `Trainer` can be made for."""
    if isinstance(rows, Dataset):
        return rows.x, rows.targets, rows.weights
    block = rows.sample(batch_size)
    return rows.filler.matrix(block), block.targets, block.weights


def name(net: MLP, rows: "Rows") -> None:
    """Give a network the names of the classes and features of a stream where it has none."""
    filler = None if isinstance(rows, Dataset) else rows.filler
    if filler is None:
        return
    classes = filler.targets.classes
    if net.class_names is None and classes is not None:
        net.class_names = [str(label) for label in classes.names]
    if net.feature_names is None:
        net.feature_names = filler.feature_names


def epoch(
    trainer: "engine.Trainer",
    rows: "Rows",
    rng: np.random.Generator,
    within_epoch: WithinEpoch,
    rates: np.ndarray,
    evaluate: Evaluate | None,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Train on all rows once, in a random order; what will be called to `evaluate` may begin then.

    Returns
    -------
    tuple or None
        The mean loss of every mini-batch and the summed weight of its rows; None where a cost was not finite.

    Raises
    ------
    StreamError
        A file of a stream cannot be read.
    """
    if isinstance(rows, AnySharedRows):
        return rows.epoch(trainer, rng, within_epoch, rates)
    if not isinstance(rows, Dataset):
        from fastmlp.streaming.epochs import shuffled_epoch

        return shuffled_epoch(trainer, rows, rng, within_epoch, rates)
    order = rows.order(rng.permutation(rows.n))
    afterwards = evaluate.begin() if isinstance(evaluate, engine.Evaluation) else None
    costs = train_epoch(trainer, order, within_epoch, rates=rates, afterwards=afterwards)
    return None if costs is None else (costs, trainer.weights(order))


def evaluation(trainer: "engine.Trainer", rows: "Rows", loss: Loss, threads: int) -> Evaluate:
    """Return what evaluates a trainer's network as it is after an epoch; it returns what `evaluate` returns."""
    network = trainer.network
    # the parameters with batch norm have to be folded; a trainer of several processes has other rows than a Dataset
    if isinstance(rows, Dataset) and type(trainer) is engine.Trainer and network.architecture.batch_norm is None:
        return engine.Evaluation(
            trainer, rows.x, rows.targets, rows.rows, threads, loss=loss, sample_weight=rows.weights
        )
    return partial(evaluate, network, rows, loss, threads)


def evaluate(network: Network, rows: "Rows", loss: Loss, threads: int) -> tuple[float, float | None]:
    """Return the mean loss and the accuracy; StreamError where a file cannot be read."""
    if isinstance(rows, AnySharedRows):
        return rows.evaluate(network, loss, threads)
    if not isinstance(rows, Dataset):
        from fastmlp.streaming import prediction

        return prediction.evaluate(network, rows, loss, threads)
    return engine.evaluate(network, rows.x, rows.targets, rows.rows, threads, loss=loss, sample_weight=rows.weights)
