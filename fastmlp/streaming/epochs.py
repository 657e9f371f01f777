"""An epoch of training on a stream, block by block."""

import functools

import numpy as np

from fastmlp import engine
from fastmlp.loop import WithinEpoch, train_epoch
from fastmlp.streaming.rows import StreamedRows


def shuffled_epoch(
    trainer: "engine.Trainer",
    rows: StreamedRows,
    rng: np.random.Generator,
    within_epoch: WithinEpoch,
    rates: np.ndarray,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Train on all rows once; return the mean loss of every mini-batch and the summed weight of its rows.

    The generator draws the order of the pieces, then a permutation of the rows of each block.

    Parameters
    ----------
    trainer : Trainer
        Made for blocks of these rows.
    rows : StreamedRows
        To train on.
    rng : numpy.random.Generator
        Draws the order.
    within_epoch : callable
        Is told how many steps are done.
    rates : numpy.ndarray
        The learning rate of every step.

    Returns
    -------
    tuple or None
        None where a cost was not finite.

    Raises
    ------
    StreamError
        A file cannot be read, or no row has a weight above 0; the steps so far are done.
    """
    costs, weights, done = list[np.ndarray](), list[np.ndarray](), 0
    with rows.shuffled(rng) as reader:
        for block in reader:
            trainer.point_at(rows.filler.matrix(block), block.targets, block.weights)
            order = rng.permutation(block.rows)
            weights.append(trainer.weights(order))
            some = rates[done : done + len(weights[-1])]
            found = train_epoch(trainer, order, functools.partial(_told, within_epoch, done), rates=some)
            if found is None:
                return None
            costs.append(found)
            done += len(found)
    rows.refuse_no_weight(sum(map(np.sum, weights)))
    return np.concatenate(costs), np.concatenate(weights)


def _told(within_epoch: WithinEpoch, before: int, steps: int) -> None:
    within_epoch(before + steps)
