"""How rows, steps and sums are cut into shards."""

from itertools import pairwise

import numpy as np
import pytest
from engine_runs import plan_of
from reference import sum_of_neighbours

from fastmlp.batchnorm import BatchNorm
from fastmlp.mpi.shards import cuts, room, starts, subtrees, sum_in_tree, tree_of

SHARDS = (1, 2, 3, 5, 8, 13, 16)


@pytest.mark.parametrize("n_shards", SHARDS)
def test_the_tree_adds_neighbours(n_shards):
    values = np.random.default_rng(0).standard_normal((n_shards, 7)).astype(np.float32)
    np.testing.assert_array_equal(sum_in_tree(values), sum_of_neighbours(list(values)))


@pytest.mark.parametrize("n_shards", SHARDS)
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_processes_sum_whole_branches(n_shards, size):
    """`tree_of` says what the engine does: here it is done with numbers."""
    if size > n_shards:
        return
    values = np.random.default_rng(0).standard_normal(n_shards).astype(np.float32)
    known = {}
    for first, last in pairwise(cuts(n_shards, size)):
        nodes = list(subtrees((first, last), 0, n_shards))
        assert [number for node in nodes for number in range(*node)] == list(range(first, last))
        buffers = {}
        for shard, (subtree, depth, sums) in zip(range(first, last), tree_of(nodes), strict=True):
            buffers[subtree, depth] = values[shard]
            for above in range(depth - 1, depth - 1 - sums, -1):
                buffers[subtree, above] += buffers[subtree, above + 1]
        known |= {node: buffers[number, 0] for number, node in enumerate(nodes)}

    def total(first, last):
        if (first, last) in known:
            return known[first, last]
        middle = first + max(2**power for power in range(20) if 2**power < last - first)
        return total(first, middle) + total(middle, last)

    assert total(0, n_shards) == sum_of_neighbours(list(values))


@pytest.mark.parametrize(
    ("sizes", "batch"), [([75] * 8, 100), ([76, 75, 75], 50), ([10, 0, 33], 7), ([1] * 8, 3), ([6000] * 8, 1000)]
)
def test_every_row_is_in_one_step(sizes, batch):
    sizes = np.array(sizes)
    steps = -(-sizes.sum() // batch)
    begins = starts(sizes, steps)
    rows = np.diff(begins, axis=0)
    assert begins.shape == (steps + 1, len(sizes))
    np.testing.assert_array_equal(begins[0], 0)
    np.testing.assert_array_equal(begins[-1], sizes)
    assert rows.min() >= 0
    if len(set(sizes)) == 1:  # Hermite's identity
        assert set(rows.sum(axis=1)) <= {sizes.sum() // steps, -(-sizes.sum() // steps)}
        assert rows.sum(axis=1).max() <= batch


@pytest.mark.parametrize("rows", [0, 1, 8, 9, 125, 512, 513, 1000, 5000])
def test_room_is_whole_blocks(rows):
    found = room(rows)
    assert found >= max(rows, 1)
    for norm in (None, BatchNorm()):
        assert found % plan_of((5, 4, 3), "float32", norm, found).block == 0


def test_cuts_are_even():
    assert cuts(10, 4).tolist() == [0, 2, 5, 7, 10]
