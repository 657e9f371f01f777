"""A stream that several processes read: its row groups are dealt out among the shards."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastmlp import engine
from fastmlp.engine.sharded import ShardTrainer
from fastmlp.losses import Loss
from fastmlp.mpi.dealing import Portions, counts_of_blocks, deal
from fastmlp.mpi.epochs import Shards, steps_of
from fastmlp.mpi.ranks import Ranks
from fastmlp.mpi.reading import Feed, ShardReader
from fastmlp.mpi.rows import Shared
from fastmlp.mpi.shards import cuts, starts
from fastmlp.network import Network
from fastmlp.streaming.filling import Block
from fastmlp.streaming.order import Piece, read_in_order
from fastmlp.streaming.prediction import block_sums
from fastmlp.streaming.rows import StreamedRows
from fastmlp.streaming.stream import Network as Described
from fastmlp.streaming.stream import Stream


def asked_of(stream: Stream) -> dict[str, Any]:
    """Return what must be the same of a stream in all processes before it is read; copies of files have other times."""
    sizes = [[stamp.size for stamp in file.stamps] or file.rows or [] for file in stream.files]
    return {
        "files": {
            number: [file.path.name, *some] for number, (file, some) in enumerate(zip(stream.files, sizes, strict=True))
        },
        "target": [column.name for column in stream.targets],
        "scaled": stream.scaled,
    }


def read_once(ranks: Ranks, stream: Stream, network: Described, *, labels: bool = False) -> None:
    """Let the first process make the pass over the files that a network needs, and all of them have what it found."""

    def found() -> Any:
        stream.rows_for(network)
        return stream.summary(labels=True) if labels else stream.found

    summary = ranks.from_first(found)
    if summary is not None and not ranks.first:
        stream.take(summary)


class SharedStream(Shared):
    """Rows of a stream, of which each process reads those of its shards.

    Parameters
    ----------
    ranks : Ranks
        The processes.
    rows : StreamedRows
        The rows of all of them.
    dealt : list of list of Piece
        For each shard its pieces of the stream.
    """

    def __init__(self, ranks: Ranks, rows: StreamedRows, dealt: list[list[Piece]]) -> None:
        owned = cuts(len(dealt), ranks.size)
        self.pieces = dealt[owned[ranks.rank] : owned[ranks.rank + 1]]
        mine = [sum(rows.share.count(piece.rows, piece.first) for piece in pieces) for pieces in self.pieces]
        super().__init__(ranks, Shards(np.concatenate(ranks.share(mine)), owned, ranks.rank))
        self.rows, self.filler = rows, rows.filler
        self.portions = Portions(rows.room, len(dealt))

    @classmethod
    def of(cls, ranks: Ranks, rows: Sequence[StreamedRows], key: int) -> "list[SharedStream]":
        """Return several choices of rows of one stream; `key` gives the order in which its pieces are dealt out.

        Raises
        ------
        OtherRankError
            The processes have different streams.
        """
        classes = rows[0].filler.targets.classes
        ranks.agree({"X": rows[0].described(), "class_names": classes and classes.names})
        dealt = deal(rows[0].pieces, ranks.processes.n_shards, np.random.default_rng(key))
        return [cls(ranks, some, dealt) for some in rows]

    def described(self) -> dict[str, Any]:
        """Return by what a checkpoint knows the rows again, whoever reads them."""
        return self.rows.described() | self.ways() | {"shards": self.portions.shards}

    def trainer(self, network: Network, batch_size: int, *arguments: Any, options: engine.StepOptions) -> ShardTrainer:
        """Return what trains on these rows, in steps of so many rows of all processes."""
        begins = starts(self.shards.sizes, -(-self.n // batch_size))
        counts = counts_of_blocks(begins, self.portions.steps(begins))
        self._make_blocks(int(counts[:, self.shards.numbers].sum(axis=1).max()))
        block = self.rows.sample(1)
        return self.make_trainer(
            begins, network, self.filler.matrix(block), block.targets, *arguments, options=options,
            sample_weight=block.weights,
        )  # fmt: skip

    def _make_blocks(self, rows: int = 0) -> list[Block]:
        """Return the memory: two blocks with room for so many rows, and for those of one shard alone."""
        if not self.rows.blocks:
            most = max(1, *(sum(piece.rows for piece in pieces) for pieces in self.pieces))  # also of what is held out
            alone = min(self.portions.alone, most)
            self.rows.blocks[:] = [self.filler.block(max(rows, alone)) for _ in range(2)]
        return self.rows.blocks

    def epoch(
        self, trainer: engine.Trainer, rng: np.random.Generator, within_epoch: Callable[[int], None], rates: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Train as `fastmlp.passes.epoch` does.

        The generator draws a key. With its number, each shard draws an order of its pieces, and then a permutation of
        its rows in each block.
        """
        key, mine = int(rng.integers(1 << 63)), self.shards.numbers
        rngs = [np.random.default_rng([key, number]) for number in mine]
        begins = starts(self.shards.sizes, len(rates))
        at_once = self.portions.steps(begins)
        counts = counts_of_blocks(begins, at_once)
        costs, weights = list[np.ndarray](), list[np.ndarray]()
        with self._shuffled(rngs, counts) as reader:
            blocks = iter(reader)
            for number, first in enumerate(range(0, len(rates), at_once)):
                block = self._next(blocks)
                trainer.point_at(self.filler.matrix(block), block.targets, block.weights)
                before = np.cumsum(counts[number, mine]) - counts[number, mine]
                orders = [
                    start + own.permutation(rows)
                    for own, start, rows in zip(rngs, before, counts[number, mine], strict=True)
                ]
                some = slice(first, min(first + at_once, len(rates)))
                here = begins[some.start : some.stop + 1] - begins[some.start]
                steps = steps_of(self.ranks, self.shards, here, orders, block.weights, rates[some])
                costs.append(self.run(steps, functools.partial(_told, within_epoch, first)))
                weights.append(steps.weights)
                if not np.isfinite(costs[-1]).all():
                    return None
        self._refuse_no_weight(float(sum(map(np.sum, weights))))
        found = np.concatenate(costs)
        return (found, np.concatenate(weights)) if self.is_finite(trainer, found) else None

    def _next(self, blocks: Any) -> Block:
        with self.ranks.failing_together():
            found: Block = next(blocks)
        return found

    def _refuse_no_weight(self, weight: float) -> None:
        with self.ranks.failing_together():
            self.rows.refuse_no_weight(weight)

    def _shuffled(self, rngs: Sequence[np.random.Generator], counts: np.ndarray) -> ShardReader:
        pieces = [[some[i] for i in rng.permutation(len(some))] for rng, some in zip(rngs, self.pieces, strict=True)]
        return self._reader(pieces, counts[:, self.shards.numbers], self.portions.turn, self.portions.side_by_side)

    def _in_order(self) -> tuple[list[int], ShardReader]:
        """Return which of the process's shards each block has rows of, and what reads these blocks."""
        shards, counts, most = list[int](), list[np.ndarray](), self.portions.alone
        for shard, rows in enumerate(self.shards.sizes[self.shards.numbers].tolist()):
            for start in range(0, rows, most):
                shards.append(shard)
                counts.append(np.where(np.arange(len(self.pieces)) == shard, min(most, rows - start), 0))
        return shards, self._reader(self.pieces, counts, self.portions.chunk, 1)

    def _reader(
        self, pieces: Sequence[Sequence[Piece]], counts: Sequence[np.ndarray] | np.ndarray, size: int, side_by_side: int
    ) -> ShardReader:
        sizes = self.shards.sizes[self.shards.numbers].tolist()
        feeds = [
            Feed(read_in_order(some, self.filler.names, size, side_by_side), self.filler, self.rows.share, rows)
            for some, rows in zip(pieces, sizes, strict=True)
        ]
        return ShardReader(feeds, list(counts), self._make_blocks())

    def evaluate(self, network: Network, loss: Loss, threads: int) -> tuple[float, float | None]:
        """Return the mean loss and the accuracy over the rows of all processes.

        Raises
        ------
        StreamError
            In all processes: one of them cannot read a file, or no row has a weight above 0.
        """
        mine = np.zeros((len(self.pieces), 3))  # of each shard: weight, summed loss, weight of what is right
        with self.ranks.failing_together():
            shards, reader = self._in_order()
            with reader:
                for shard, block in zip(shards, reader, strict=True):
                    mine[shard] += block_sums(network, self.filler, block, loss, threads)
        weight, cost, right = self.total(mine).tolist()
        self._refuse_no_weight(weight)
        return cost / weight, right / weight if network.architecture.has_classes else None


def _told(within_epoch: Callable[[int], None], before: int, steps: int) -> None:
    within_epoch(before + steps)
