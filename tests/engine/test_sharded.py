"""Mini-batches in shards: gradients against the twin of a whole network, and the same bits whoever sums them."""

import numpy as np
import pytest
from closeness import assert_close
from engine_runs import network, problem
from networks import all_arrays, digest
from reference_network import Network

from fastmlp import SGD, Adam, BatchNorm
from fastmlp.engine.epoch import Trainer
from fastmlp.engine.shard_update import add_gradients
from fastmlp.engine.sharded import ShardTrainer, Steps
from fastmlp.engine.workspace import aligned
from fastmlp.mpi.shards import halves, subtrees, tree_of

ROWS = np.array([17, 0, 9, 24, 1])  # of five shards; two blocks and a row, nothing, …
N, ROOM = int(ROWS.sum()), 24


def steps_of(order, first, last, rate=1.0):
    """One step of the shards from the first up to the last."""
    begins = np.concatenate([[0], np.cumsum(ROWS)])
    mine = slice(first, last)
    own = ROWS[None, mine].copy()
    rows = order[begins[first] : begins[last]]
    return Steps(
        rows, (begins[:-1] - begins[first])[None, mine].copy(), own, own / N, np.array([float(N)]), first, len(ROWS),
        np.array([rate]),
    )  # fmt: skip


def trainer_of(net, X, y, first, last, optimizer, threads=1):
    tree = tree_of(list(subtrees((first, last), 0, len(ROWS))))
    return ShardTrainer(tree, net.network, X, y, ROOM, optimizer, threads)


@pytest.mark.parametrize("widths", [[5, 3], [33, 17, 10], [20, 40, 35, 4]], ids=str)
def test_a_step_is_that_of_all_rows(widths, dtype):
    X, y = problem(N, widths[0], widths[-1], dtype)
    net, order = network(widths, dtype=dtype), np.random.default_rng(3).permutation(N)
    gradients = Network(net).gradients(X, y).parts()
    before = [array.copy() for array in [*net.weights, *net.biases]]
    trainer = trainer_of(net, X, y, 0, len(ROWS), SGD(1.0))
    trainer.begin(steps_of(order, 0, len(ROWS)))
    trainer.sum_gradients(0)
    trainer.update(0)
    trainer.end()
    for old, new, gradient in zip(before, [*net.weights, *net.biases], gradients, strict=True):
        assert_close(old - new, gradient, dtype)
    assert_close(trainer.costs.sum() / N, Network(network(widths, dtype=dtype)).data_cost(X, y, training=True), dtype)


@pytest.mark.parametrize("placement", ["after_relu", "before_relu"])
def test_batch_norm_takes_the_statistics_of_each_shard(placement):
    X, y = problem(N, 20, 4, "float64")
    net = network([20, 33, 17, 4], BatchNorm(placement, affine=True), dtype="float64")
    twin, order = Network(net), np.random.default_rng(3).permutation(N)
    before = [array.copy() for array in all_arrays(net)[:-4]]
    trainer = trainer_of(net, X, y, 0, len(ROWS), SGD(1.0))
    trainer.begin(steps_of(order, 0, len(ROWS)))
    trainer.sum_gradients(0)
    trainer.update(0)
    trainer.end()
    shards = [part for part in np.split(order, np.cumsum(ROWS)[:-1]) if len(part)]
    parts = [twin.gradients(X[rows], y[rows]).parts() for rows in shards]
    for number, (old, new) in enumerate(zip(before, all_arrays(net)[:-4], strict=True)):
        expected = sum(len(rows) / N * part[number] for rows, part in zip(shards, parts, strict=True))
        assert_close(old - new, expected, "float64", factor=10)


@pytest.mark.parametrize("clip_norm", [None, 0.05])
def test_factors_of_inputs_take_the_step_of_one_process(dtype, clip_norm):
    X, y = problem(N, 33, 4, dtype)
    optimizer, order = SGD(0.5, momentum=0.5, clip_norm=clip_norm), np.arange(N)
    nets = [network([33, 20, 4], dtype=dtype, input_factors=True) for _ in range(2)]
    trainer = trainer_of(nets[0], X, y, 0, len(ROWS), optimizer)
    trainer.begin(steps_of(order, 0, len(ROWS), 0.5))
    trainer.sum_gradients(0)
    trainer.update(0)
    trainer.end()
    Trainer(nets[1].network, X, y, N, optimizer, 1).run_epoch(order)
    assert not np.allclose(nets[0].factors, 1)
    for ours, whole in zip(*map(all_arrays, nets), strict=True):
        assert_close(ours, whole, dtype)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    ("batch_norm", "factors"), [(None, False), (BatchNorm(affine=True), True)], ids=["none", "norm, factors"]
)
def test_the_same_bits_whoever_sums(batch_norm, factors, threads, monkeypatch):
    monkeypatch.setattr("fastmlp.engine.epoch.useful_threads", lambda plan, threads, rows, shards: threads)
    X, y = problem(N, 33, 10)
    order = np.random.default_rng(3).permutation(N)

    def make():
        return network([33, 40, 17, 10], batch_norm, dropout=0.3, input_factors=factors)

    def run(parts, optimizer):
        """Two steps of processes with these shards, whose sums are joined here."""
        nets = [make() for _ in parts]
        trainers = [
            trainer_of(net, X, y, first, last, optimizer, threads)
            for net, (first, last) in zip(nets, parts, strict=True)
        ]
        for _ in range(2):
            for trainer, part in zip(trainers, parts, strict=True):
                trainer.begin(steps_of(order, *part, 0.05))
                trainer.sum_gradients(0)
            known = {
                node: sums
                for trainer, part in zip(trainers, parts, strict=True)
                for node, sums in zip(subtrees(part, 0, len(ROWS)), trainer.subtrees, strict=True)
            }
            total = joined(known, 0, len(ROWS)).copy()
            for trainer in trainers:
                trainer.gradient[:] = total
                trainer.update(0)
                trainer.end()
        assert len({digest(net) for net in nets}) == 1
        return digest(nets[0]), trainers[0].export_state().moments[0].tobytes()

    optimizer = Adam(1.0, clip_norm=0.05)
    whole = run([(0, 5)], optimizer)
    assert run([(0, 3), (3, 5)], optimizer) == whole
    assert run([(0, 1), (1, 4), (4, 5)], optimizer) == whole


def joined(known, first, last):
    """The sum of a node, of the sums that are known."""
    if (first, last) in known:
        return known[first, last]
    middle = halves(first, last)
    left, right = joined(known, first, middle), joined(known, middle, last)
    out = aligned(len(left), left.dtype)
    add_gradients(out, left, right)
    return out


def test_sums_of_gradients_flush_denormal_numbers():
    left, right = (aligned(16, np.float32) for _ in range(2))
    left[:3], right[:3] = (1, 1e-40, 3e-38), (2, 1e-40, -2.9e-38)
    add_gradients(left, left, right)
    assert left[:3].tolist() == [3, 0, 0]
