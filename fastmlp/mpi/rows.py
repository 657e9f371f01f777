"""The rows of all processes, cut into shards, as `fastmlp.train` takes them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp import engine
from fastmlp.engine.sharded import ShardTrainer
from fastmlp.inputs.identity import rows_described
from fastmlp.inputs.ranked import AnySharedRows
from fastmlp.inputs.splitting import Dataset
from fastmlp.losses import Loss
from fastmlp.mpi.epochs import Shards, run_steps, steps_of
from fastmlp.mpi.exchange import Exchange, exchange_of
from fastmlp.mpi.ranks import Ranks
from fastmlp.mpi.shards import room, starts, subtrees, sum_in_tree, tree_of
from fastmlp.network import Network


class SharedRows(AnySharedRows):
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
        self.ranks, self.data = ranks, data
        sizes = np.concatenate(ranks.share([len(shard) for shard in rows]))
        self.shards = Shards(sizes, owned, ranks.rank, rows)
        self._exchange: Exchange | None = None

    @property
    def n(self) -> int:
        """How many there are in all processes."""
        return int(self.shards.sizes.sum())

    def described(self) -> dict[str, Any]:
        """Return by what a checkpoint knows the rows again, whoever has them."""
        parts = {"X": self.data.x, "y": self.data.targets, "sample_weight": self.data.weights}
        mine = [
            {name: None if part is None else rows_described(part[rows]) for name, part in parts.items()}
            for rows in self.shards.rows
        ]
        known = [shard for shards in self.ranks.share(mine) for shard in shards]
        return {"rows": self.n, **{f"shard {number}": shard for number, shard in enumerate(known)}}

    def trainer(
        self, network: Network, batch_size: int, *arguments: Any, options: "engine.StepOptions"
    ) -> ShardTrainer:
        """Return what trains on these rows, in steps of so many rows of all processes."""
        rank, owned, count = self.ranks.rank, self.shards.owned, len(self.shards.sizes)
        steps = -(-self.n // batch_size)
        most = int(np.diff(starts(self.shards.sizes, steps), axis=0).max())
        trainer = ShardTrainer(
            tree_of(list(subtrees((owned[rank], owned[rank + 1]), 0, count))),
            network, self.data.x, self.data.targets, room(most), *arguments,
            options=options, sample_weight=self.data.weights,
        )  # fmt: skip
        self._exchange = exchange_of(self.ranks, trainer, owned)
        return trainer

    def epoch(
        self, trainer: engine.Trainer, rng: np.random.Generator, within_epoch: Callable[[int], None], rates: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Train as `fastmlp.passes.epoch` does."""
        assert self._exchange is not None
        assert isinstance(trainer, ShardTrainer)
        steps = steps_of(self.ranks, self.shards, self.data.weights, int(rng.integers(1 << 63)), rates)
        costs = run_steps(self._exchange, trainer, self.shards, steps, within_epoch)
        self.ranks.same(trainer.network.parameters)
        finite = np.isfinite(costs).all() and trainer.network.parameters.is_finite()
        return (costs, steps.weights) if finite else None

    def evaluate(self, network: Network, loss: Loss, threads: int) -> tuple[float, float | None]:
        """Return the mean loss and the accuracy over the rows of all processes."""
        data, classes = self.data, network.architecture.output in ("softmax", "logistic")
        mine = np.zeros((len(self.shards.rows), 3))  # of each shard: weight, summed loss, weight of what is right
        for sums, rows in zip(mine, self.shards.rows, strict=True):
            sums[0] = len(rows) if data.weights is None else data.weights[rows].sum()
            if sums[0] > 0:
                found = engine.evaluate(
                    network, data.x, data.targets, rows, threads, loss=loss, sample_weight=data.weights
                )
                right = sums[0] * (found[1] or 0.0)
                sums[1:] = sums[0] * found[0], np.rint(right) if data.weights is None else right
        weight, cost, right = sum_in_tree(self.ranks.gather(mine, np.diff(self.shards.owned))).tolist()
        return cost / weight, right / weight if classes else None
