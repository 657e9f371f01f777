"""Batch norm by the statistics of all shards, against the twin of a whole network and a training in one shard."""

from types import SimpleNamespace

import numpy as np
import pytest
from closeness import assert_close
from engine_runs import network, problem
from networks import all_arrays
from reference_network import Network

from fastmlp import SGD, BatchNorm
from fastmlp.engine.epoch import Trainer
from fastmlp.engine.plan import INV_STD, MEAN, VAR
from fastmlp.engine.sharded import ShardTrainer, Steps
from fastmlp.mpi.norms import Norms
from fastmlp.mpi.shards import subtrees, tree_of

ROWS = np.array([17, 0, 9, 24, 1])  # of five shards
N, ROOM = int(ROWS.sum()), 24
ALONE = SimpleNamespace(gather=lambda mine, counts: np.ascontiguousarray(mine, np.float64))
OWNED = np.array([0, len(ROWS)])


def step(net, X, y, order, optimizer, threads=1):
    """One step of all shards in one process; returns the trainer."""
    tree = tree_of(list(subtrees((0, len(ROWS)), 0, len(ROWS))))
    trainer = ShardTrainer(tree, net.network, X, y, ROOM, optimizer, threads)
    begins, own = (np.cumsum(ROWS) - ROWS)[None], ROWS[None].copy()
    steps = Steps(order, begins, own, own / N, np.array([float(N)]), 0, len(ROWS), np.array([1.0]))
    trainer.begin(steps)
    Norms(ALONE, trainer, OWNED).sum_gradients(steps, 0)
    trainer.update(0)
    trainer.end()
    return trainer


@pytest.mark.parametrize("placement", ["after_relu", "before_relu"])
@pytest.mark.parametrize("widths", [[5, 3], [20, 33, 4], [20, 33, 17, 40, 4]], ids=str)
def test_a_step_is_that_of_the_twin_of_all_rows(widths, placement, dtype):
    X, y = problem(N, widths[0], widths[-1], dtype)
    net, order = (
        network(widths, BatchNorm(placement, affine=True), dtype=dtype),
        np.random.default_rng(3).permutation(N),
    )
    twin, before = Network(net), [array.copy() for array in all_arrays(net)]
    trainer = step(net, X, y, order, SGD(1.0))
    assert_close(trainer.costs.sum() / N, twin.data_cost(X, y, training=True), dtype)
    gradients = twin.gradients(X, y).parts()
    for old, new, gradient in zip(before, all_arrays(net), gradients, strict=False):
        assert_close(old - new, gradient, dtype, factor=10)


@pytest.mark.parametrize("placement", ["after_relu", "before_relu"])
def test_a_step_is_that_of_one_shard(placement, dtype):
    """Running averages included."""
    X, y = problem(N, 20, 4, dtype)
    nets = [network([20, 33, 17, 4], BatchNorm(placement, affine=True), dtype=dtype) for _ in range(2)]
    order, optimizer = np.random.default_rng(3).permutation(N), SGD(1.0, momentum=0.5, clip_norm=0.05)
    step(nets[0], X, y, order, optimizer)
    Trainer(nets[1].network, X, y, N, optimizer, 1).run_epoch(order)
    for ours, whole in zip(*map(all_arrays, nets), strict=True):
        assert_close(ours, whole, dtype, factor=10)


def test_the_mean_of_equal_values_is_their_value():
    kept = {kind: np.full((2, len(ROWS), 3), [1.1, 0.0, -3.3e7]) for kind in (MEAN, VAR, INV_STD)}
    kept[VAR] = np.zeros((2, len(ROWS), 3))
    kept[MEAN][:, 1] = np.nan  # of no rows
    trainer = SimpleNamespace(statistics=lambda layer, kind: kept[kind], settings={"eps": [1e-5]})
    Norms(ALONE, trainer, OWNED)._share_moments(0, ROWS.astype(float))
    np.testing.assert_array_equal(kept[MEAN], np.full((2, len(ROWS), 3), [1.1, 0.0, -3.3e7]))
    np.testing.assert_array_equal(kept[VAR], 0)
    np.testing.assert_allclose(kept[INV_STD], 1e-5**-0.5)
