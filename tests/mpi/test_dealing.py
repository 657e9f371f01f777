"""Row groups dealt out among shards, and the blocks in which shards read their rows."""

import numpy as np
import pytest
from streaming_rows import NoFile

from fastmlp.mpi.dealing import Portions, counts_of_blocks, deal
from fastmlp.mpi.shards import starts
from fastmlp.streaming.order import Piece
from fastmlp.streaming.rows import Room


def pieces_of(rows):
    firsts = np.cumsum([0, *rows[:-1]])
    return [
        Piece(NoFile(), part, int(first), count) for part, (first, count) in enumerate(zip(firsts, rows, strict=True))
    ]


@pytest.mark.parametrize("n_shards", [1, 3, 8])
@pytest.mark.parametrize("rows", [[70] * 40, [100, 1, 2, 3, 90, 40, 40], [5], list(range(1, 60))], ids=len)
def test_every_piece_has_one_shard(n_shards, rows):
    pieces = pieces_of(rows)
    dealt = deal(pieces, n_shards, np.random.default_rng(0))
    assert len(dealt) == n_shards
    assert sorted(piece.part for shard in dealt for piece in shard) == list(range(len(rows)))
    for shard in dealt:
        assert [piece.part for piece in shard] == sorted(piece.part for piece in shard)
    sizes = [sum(piece.rows for piece in shard) for shard in dealt]
    assert max(sizes) - min(sizes) <= max(rows)
    assert dealt == deal(pieces, n_shards, np.random.default_rng(0))


def test_neighbours_come_to_different_shards_by_chance():
    dealt = [deal(pieces_of([10] * 64), 8, np.random.default_rng(seed)) for seed in (0, 1)]
    assert dealt[0] != dealt[1]
    assert [piece.part for piece in dealt[0][0]] != list(range(0, 64, 8))


@pytest.mark.parametrize("shards", [1, 2, 8, 16])
@pytest.mark.parametrize(("rows_in_memory", "batch"), [(150, 20), (500, 20), (5000, 333), (1 << 17, 1000)])
def test_a_process_with_all_shards_has_the_rows_in_memory_that_were_asked_for(shards, rows_in_memory, batch):
    portions = Portions(Room(rows_in_memory, 8), shards)
    begins = starts(np.full(shards, 20_000), -(-20_000 * shards // batch))
    counts = counts_of_blocks(begins, portions.steps(begins))
    block = int(counts.sum(axis=1).max())
    assert batch <= block
    assert max(block, portions.alone) * 2 + shards * portions.chunk <= rows_in_memory + shards
    assert portions.turn <= portions.chunk


@pytest.mark.parametrize("steps", [1, 2, 5, 100])
def test_blocks_have_all_rows_of_their_steps(steps):
    begins = starts(np.array([33, 0, 40, 7]), 9)
    counts = counts_of_blocks(begins, steps)
    assert len(counts) == -(-9 // steps)
    np.testing.assert_array_equal(counts.sum(axis=0), [33, 0, 40, 7])
    np.testing.assert_array_equal(counts[0], begins[min(steps, 9)])


def test_too_little_room():
    begins = starts(np.array([50, 50]), 5)
    with pytest.raises(ValueError, match="rows_in_memory must be at least 60, three mini-batches of 20 rows, got 44"):
        Portions(Room(44, 8), 2).steps(begins)
