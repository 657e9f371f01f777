"""The steps of an epoch that processes do together."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from fastmlp.engine.sharded import ShardTrainer, Steps
from fastmlp.mpi.exchange import Exchange
from fastmlp.mpi.norms import Norms
from fastmlp.mpi.ranks import Ranks
from fastmlp.mpi.shards import sum_in_tree
from fastmlp.system import interrupt


class Shards(NamedTuple):
    """The shards of a process among those of all.

    Attributes
    ----------
    sizes : numpy.ndarray (all shards,)
        How many rows each has.
    owned : numpy.ndarray (size + 1,)
        Which of them each process has.
    rank : int
        The process.
    """

    sizes: np.ndarray
    owned: np.ndarray
    rank: int

    @property
    def numbers(self) -> np.ndarray:
        """Of the process's own."""
        return np.arange(self.owned[self.rank], self.owned[self.rank + 1])


def steps_of(
    ranks: Ranks,
    shards: Shards,
    begins: np.ndarray,
    orders: Sequence[np.ndarray],
    weights: np.ndarray | None,
    rates: np.ndarray,
) -> Steps:
    """Return the steps over some rows of all shards.

    Parameters
    ----------
    ranks : Ranks
        The processes.
    shards : Shards
        Theirs.
    begins : numpy.ndarray (steps + 1, all shards)
        How many rows of each shard come before each step, and behind the last.
    orders : sequence of numpy.ndarray
        For each of the process's own shards, the indices of these rows in its arrays, in the order of the steps.
    weights : numpy.ndarray or None
        Of the rows in these arrays.
    rates : numpy.ndarray (steps,)
        Learning rates.
    """
    counts = np.diff(begins, axis=0)
    totals = counts.sum(axis=1).astype(np.float64)
    before = np.cumsum([0, *(len(order) for order in orders[:-1])])
    own, first = np.ascontiguousarray(counts[:, shards.numbers]), begins[:-1, shards.numbers]
    parts = own / np.maximum(totals, 1)[:, None]
    if weights is not None:
        # a 0 behind, as a step without rows may begin there
        sums = [
            np.add.reduceat(np.append(weights[order], 0.0), start) for order, start in zip(orders, first.T, strict=True)
        ]
        totals = sum_in_tree(ranks.gather(np.where(own.T > 0, sums, 0.0), np.diff(shards.owned)))
    order, number = np.concatenate(orders), int(shards.numbers[0])
    # a contiguous array in every process: for another one, Numba would compile the workers again
    first = np.ascontiguousarray(first + before)
    return Steps(order, first, own, parts, totals, number, len(shards.sizes), rates)


class Together(NamedTuple):
    """What a process does in the steps of a training, and what it exchanges with the others meanwhile.

    Attributes
    ----------
    trainer : ShardTrainer
        Trains on the process's shards.
    exchange : Exchange
        Of gradients.
    norms : Norms or None
        Of the statistics of batch norm, where these are those of all rows.
    """

    trainer: ShardTrainer
    exchange: Exchange
    norms: Norms | None

    def sum_gradients(self, steps: Steps, step: int) -> None:
        """Write the gradient of all shards into `ShardTrainer.gradient`."""
        if self.norms is None:
            self.trainer.sum_gradients(step)
        else:
            self.norms.sum_gradients(steps, step)
        self.exchange.join()


def run_steps(together: Together, shards: Shards, steps: Steps, within_epoch: Callable[[int], None]) -> np.ndarray:
    """Do steps; return the mean loss of each mini-batch, the last not finite where one was not.

    Raises
    ------
    KeyboardInterrupt
        In all processes, after the step in which Ctrl-C came to one of them.
    """
    trainer, ranks, count, sizes = together.trainer, together.exchange.ranks, len(steps.rates), np.diff(shards.owned)
    mine = np.zeros(1 + sizes.max())  # of one step: whether Ctrl-C came, and the costs of shards
    told = np.zeros((count, ranks.size, len(mine)))
    done = 0
    trainer.begin(steps)
    try:
        for step in range(count):
            together.sum_gradients(steps, step)
            mine[0], mine[1 : 1 + len(trainer.tree)] = interrupt.taken(), trainer.costs[step]
            ranks.comm.Allgather(mine, told[step])
            trainer.update(step)
            done += 1
            within_epoch(done)
            if told[step, :, 0].any():
                raise KeyboardInterrupt
            if not np.isfinite(told[step]).all():
                break
    finally:
        trainer.end()
    costs = np.concatenate([told[:done, rank, 1 : 1 + size] for rank, size in enumerate(sizes)], axis=1)
    return sum_in_tree(costs.T) / np.where(steps.weights > 0, steps.weights, 1.0)[:done]
