"""The rows of all processes, cut into shards, as `fastmlp.train` takes them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp import engine
from fastmlp.engine.plan import NORM_NONE
from fastmlp.engine.sharded import ShardTrainer, Steps
from fastmlp.inputs.identity import rows_described
from fastmlp.inputs.ranked import AnySharedRows
from fastmlp.inputs.splitting import Dataset
from fastmlp.losses import Loss
from fastmlp.mpi.epochs import Shards, Together, run_steps, steps_of
from fastmlp.mpi.exchange import exchange_of
from fastmlp.mpi.norms import Norms
from fastmlp.mpi.ranks import Ranks
from fastmlp.mpi.shards import room, starts, subtrees, sum_in_tree, tree_of
from fastmlp.network import Network


class Shared(AnySharedRows):
    """Rows of several processes, cut into shards.

    Parameters
    ----------
    ranks : Ranks
        The processes.
    shards : Shards
        Of all of them.
    """

    def __init__(self, ranks: Ranks, shards: Shards) -> None:
        self.ranks, self.shards = ranks, shards
        self._together: Together | None = None

    @property
    def n(self) -> int:
        """How many there are in all processes."""
        return int(self.shards.sizes.sum())

    def make_trainer(self, begins: np.ndarray, network: Network, *arguments: Any, **keywords: Any) -> ShardTrainer:
        """Return what trains a network in steps over these rows.

        Parameters
        ----------
        begins : numpy.ndarray (steps + 1, all shards)
            How many rows of each shard come before each step, and behind the last.
        network, *arguments, **keywords
            Of `fastmlp.engine.Trainer` without the batch size.
        """
        rank, owned, count = self.ranks.rank, self.shards.owned, len(self.shards.sizes)
        tree = tree_of(list(subtrees((owned[rank], owned[rank + 1]), 0, count)))
        x, targets, *others = arguments
        trainer = ShardTrainer(tree, network, x, targets, room(int(np.diff(begins, axis=0).max())), *others, **keywords)
        synced = self.ranks.processes.batch_norm == "sync" and trainer.plan.norm != NORM_NONE
        norms = Norms(self.ranks, trainer, owned) if synced else None
        self._together = Together(trainer, exchange_of(self.ranks, trainer, owned), norms)
        return trainer

    def run(self, steps: Steps, within_epoch: Callable[[int], None]) -> np.ndarray:
        """Do steps; return the mean loss of each mini-batch, the last not finite where one was not."""
        assert self._together is not None
        return run_steps(self._together, self.shards, steps, within_epoch)

    def ways(self) -> dict[str, Any]:
        """Return by what a checkpoint knows how the processes train."""
        return {} if self.ranks.processes.batch_norm == "shard" else {"batch_norm": self.ranks.processes.batch_norm}

    def is_finite(self, trainer: engine.Trainer, costs: np.ndarray) -> bool:
        """Whether the training can go on behind an epoch; the network must be the same in all processes."""
        self.ranks.same(trainer.network.parameters)
        return bool(np.isfinite(costs).all()) and trainer.network.parameters.is_finite()

    def total(self, sums: np.ndarray) -> np.ndarray:
        """Return the sum over all shards of what the process has summed for each of its own ``(own shards, n)``."""
        return sum_in_tree(self.ranks.gather(sums, np.diff(self.shards.owned)))


class SharedRows(Shared):
    """Rows of several processes.

    Parameters
    ----------
    ranks : Ranks
        The processes.
    data : Dataset
        What this one has.
    owned : numpy.ndarray (size + 1,)
        Which shards each process has.
    rows : list of numpy.ndarray
        Of each of its shards, the indices in the process's arrays.
    """

    def __init__(self, ranks: Ranks, data: Dataset, owned: np.ndarray, rows: list[np.ndarray]) -> None:
        sizes = np.concatenate(ranks.share([len(shard) for shard in rows]))
        super().__init__(ranks, Shards(sizes, owned, ranks.rank))
        self.data, self.rows = data, rows

    def described(self) -> dict[str, Any]:
        """Return by what a checkpoint knows the rows again, whoever has them."""
        parts = {"X": self.data.x, "y": self.data.targets, "sample_weight": self.data.weights}
        mine = [
            {name: None if part is None else rows_described(part[rows]) for name, part in parts.items()}
            for rows in self.rows
        ]
        known = [shard for shards in self.ranks.share(mine) for shard in shards]
        return {"rows": self.n, **self.ways(), **{f"shard {number}": shard for number, shard in enumerate(known)}}

    def permuted(self, key: int) -> list[np.ndarray]:
        """Return the rows of each of the process's shards in an order that `key` and the shard's number give."""
        return [
            np.random.default_rng([key, number]).permutation(rows)
            for number, rows in zip(self.shards.numbers, self.rows, strict=True)
        ]

    def trainer(self, network: Network, batch_size: int, *arguments: Any, options: engine.StepOptions) -> ShardTrainer:
        """Return what trains on these rows, in steps of so many rows of all processes."""
        begins = starts(self.shards.sizes, -(-self.n // batch_size))
        data = self.data
        return self.make_trainer(
            begins, network, data.x, data.targets, *arguments, options=options, sample_weight=data.weights
        )

    def epoch(
        self, trainer: engine.Trainer, rng: np.random.Generator, within_epoch: Callable[[int], None], rates: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Train as `fastmlp.passes.epoch` does."""
        orders = self.permuted(int(rng.integers(1 << 63)))
        begins = starts(self.shards.sizes, len(rates))
        steps = steps_of(self.ranks, self.shards, begins, orders, self.data.weights, rates)
        costs = self.run(steps, within_epoch)
        return (costs, steps.weights) if self.is_finite(trainer, costs) else None

    def evaluate(self, network: Network, loss: Loss, threads: int) -> tuple[float, float | None]:
        """Return the mean loss and the accuracy over the rows of all processes."""
        data = self.data
        mine = np.zeros((len(self.rows), 3))  # of each shard: weight, summed loss, weight of what is right
        for sums, rows in zip(mine, self.rows, strict=True):
            sums[0] = len(rows) if data.weights is None else data.weights[rows].sum()
            if sums[0] > 0:
                found = engine.evaluate(
                    network, data.x, data.targets, rows, threads, loss=loss, sample_weight=data.weights
                )
                right = sums[0] * (found[1] or 0.0)
                sums[1:] = sums[0] * found[0], np.rint(right) if data.weights is None else right
        weight, cost, right = self.total(mine).tolist()
        return cost / weight, right / weight if network.architecture.has_classes else None
