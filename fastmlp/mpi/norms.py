"""Batch norm by the statistics of all rows of a step, whichever process has them."""

import numpy as np

from fastmlp.engine.plan import DBETA, DGAMMA, FORWARD, INV_STD, MEAN, VAR
from fastmlp.engine.sharded import ShardTrainer, Steps
from fastmlp.mpi.ranks import Ranks
from fastmlp.mpi.shards import sum_in_tree


class Norms:
    """Lets the processes exchange the statistics of their shards between the passes over the rows.

    Each shard's are those that it would be normalised with alone. All processes merge them in float64 in the order of
    the tree, and so get the same bits.

    Parameters
    ----------
    ranks : Ranks
        The processes.
    trainer : ShardTrainer
        Of this one.
    owned : numpy.ndarray (size + 1,)
        Which shards each process has.
    """

    def __init__(self, ranks: Ranks, trainer: ShardTrainer, owned: np.ndarray) -> None:
        self.ranks, self.trainer, self.counts = ranks, trainer, np.diff(owned)
        self.eps = float(trainer.settings["eps"][0])

    def sum_gradients(self, steps: Steps, step: int) -> None:
        """Do what `ShardTrainer.sum_gradients` does."""
        rows, passes = steps.rows[step].astype(np.float64), self.trainer.plan.passes
        for number, following in enumerate(passes[1:], start=1):
            self.trainer.do_passes(step, number - 1, number)
            with np.errstate(over="ignore", invalid="ignore"):  # the cost of the step will not be finite
                if following["kind"] == FORWARD:
                    self._share_moments(int(following["layer"]) - 1, rows)
                else:
                    self._share_gradients(int(following["layer"]), rows)
        self.trainer.do_passes(step, len(passes) - 1, len(passes))

    def _gathered(self, layer: int, kinds: tuple[int, int], rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return of all shards their rows ``(shards, 1)``, and two vectors of their statistics ``(shards, n_out)``.

        Those of a shard without rows are 0.
        """
        first, second = (self.trainer.statistics(layer, kind)[0] for kind in kinds)
        mine = np.column_stack([rows, *(np.where(rows[:, None] > 0, some, 0.0) for some in (first, second))])
        found, n = self.ranks.gather(mine, self.counts), first.shape[1]
        return found[:, :1], found[:, 1 : 1 + n], found[:, 1 + n :]

    def _write(self, layer: int, kind: int, values: np.ndarray) -> None:
        self.trainer.statistics(layer, kind)[:] = values

    def _share_moments(self, layer: int, rows: np.ndarray) -> None:
        """Let a layer be normalised by the mean and the variance of all rows (Chan, Golub & LeVeque 1983)."""
        counts, means, variances = self._gathered(layer, (MEAN, VAR), rows)
        total, somewhere = np.maximum(sum_in_tree(counts), 1), means[np.argmax(counts[:, 0] > 0)]
        mean = somewhere + sum_in_tree(counts * (means - somewhere)) / total  # of equal rows exactly their value
        var = sum_in_tree(counts * (variances + (means - mean) ** 2)) / total
        self._write(layer, MEAN, mean)
        self._write(layer, VAR, var)
        self._write(layer, INV_STD, 1 / np.sqrt(var + self.eps))

    def _share_gradients(self, layer: int, rows: np.ndarray) -> None:
        """Let the sums of the backward pass be those of all rows, of which each shard takes its part of the rows.

        A shard divides them by its own rows. Its part is also what it adds to the gradients of γ and β.
        """
        counts, *sums = self._gathered(layer, (DGAMMA, DBETA), rows)
        parts = rows[:, None] / np.maximum(sum_in_tree(counts), 1)
        for kind, some in zip((DGAMMA, DBETA), sums, strict=True):
            self._write(layer, kind, sum_in_tree(some) * parts)
