"""Weights of rows and the losses in the engine, and the decay of single steps."""

import numpy as np
import pytest
from closeness import assert_close
from engine_runs import gradient_of_step, network, problem, targets_of
from reference_network import Network

from fastmlp import SGD, Adam, losses
from fastmlp.engine import StepOptions, Trainer, evaluate

LOSSES = [
    losses.CrossEntropy(),
    losses.CrossEntropy(label_smoothing=0.2),
    losses.BinaryCrossEntropy(label_smoothing=0.1),
    losses.SquaredError(),
    losses.AbsoluteError(),
    losses.Huber(delta=0.3),
    losses.Poisson(),
]


@pytest.fixture(params=LOSSES, ids=repr)
def loss(request):
    return request.param


def _weights(n):
    return np.random.default_rng(9).choice([0.0, 0.5, 1.0, 3.0], n)


def test_epochs_equal_the_twins(loss, norm, dtype):
    X, _ = problem(150, 9, 2, dtype)
    net = network([9, 18, 7, 5], norm, dtype, activation="tanh", output=loss.output)
    targets, weights, twin = targets_of(net, 150), _weights(150), Network(net, loss)
    order = np.random.default_rng(2).permutation(150)
    trainer = Trainer(net.network, X, targets, 37, SGD(0.05, 0.01), 2, options=StepOptions(loss), sample_weight=weights)
    costs = trainer.run_epoch(order)
    batches = [order[start : start + 37] for start in range(0, 150, 37)]
    expected = [twin.step(X[rows], targets[rows], 0.05, 0.01, weights[rows]) for rows in batches]
    assert_close(costs, np.array(expected), dtype, factor=10.0)
    np.testing.assert_allclose(trainer.weights(order), [weights[rows].sum() for rows in batches])
    for found, other in zip(Network(net).parameters(), twin.parameters(), strict=True):
        assert_close(found, other, dtype, factor=20.0)
    evaluated, _ = evaluate(net.network, X, targets, None, 2, loss=loss, sample_weight=weights)
    assert_close(evaluated, Network(net, loss).cost(X, targets, weights=weights), dtype, factor=10.0)


def test_whole_weights_are_repeated_rows(loss):
    X, _ = problem(30, 9, 2, "float64")
    net = network([9, 18, 5], None, "float64", activation="gelu", output=loss.output)
    targets, weights = targets_of(net, 30), np.arange(30) % 4
    rows = np.repeat(np.arange(30), weights)
    weighted = gradient_of_step(net, X, targets, loss=loss, sample_weight=weights.astype(float))
    repeated = gradient_of_step(net, X[rows], targets[rows], loss=loss)
    for found, expected in zip(weighted, repeated, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
    cost, accuracy = evaluate(net.network, X, targets, None, 2, loss=loss, sample_weight=weights.astype(float))
    other_cost, other_accuracy = evaluate(net.network, X[rows], targets[rows], None, 2, loss=loss)
    assert cost == pytest.approx(other_cost, rel=1e-12)
    assert accuracy == (None if other_accuracy is None else pytest.approx(other_accuracy, rel=1e-12))


def test_rows_without_weight_have_no_influence(loss):
    X, _ = problem(64, 9, 2)
    weights = _weights(64)
    results = set()
    for scale in (1.0, 1e6):
        x = np.where(weights[:, None] > 0, X, scale * X).astype(np.float32)
        net = network([9, 18, 5], activation="relu", output=loss.output)
        targets = targets_of(net, 64)
        if scale > 1:
            targets[weights == 0] = 1
        trainer = Trainer(net.network, x, targets, 16, SGD(0.05), 1, options=StepOptions(loss), sample_weight=weights)
        costs = trainer.run_epoch(np.arange(64))
        cost, accuracy = evaluate(net.network, x, targets, None, 1, loss=loss, sample_weight=weights)
        results.add((costs.tobytes(), net.snapshot().tobytes(), cost, accuracy))
    assert len(results) == 1


@pytest.mark.parametrize("optimizer", [SGD(0.1, 0.5), Adam(0.1), SGD(0.1, momentum=0.9, clip_norm=1.0)], ids=repr)
def test_a_batch_without_weight_is_harmless(optimizer, norm):
    X, y = problem(64, 9, 3)
    weights = np.ones(64)
    weights[16:32] = 0
    net = network([9, 18, 3], norm)
    trainer = Trainer(net.network, X, y, 16, optimizer, 1, sample_weight=weights)
    trainer.run_epoch(np.arange(16, 32))  # without momentum, only the decay changes the network
    start = network([9, 18, 3], norm)
    for found, expected in zip(net.weights, start.weights, strict=True):
        np.testing.assert_allclose(found, (1 - 0.1 * optimizer.l2) * expected, rtol=1e-6)
    for name in ("biases", "gammas", "betas"):
        for found, expected in zip(net.arrays[name], start.arrays[name], strict=True):
            np.testing.assert_array_equal(found, expected)
    costs = trainer.run_epoch(np.arange(64))
    assert costs[1] == 0
    assert (costs[[0, 2, 3]] > 0).all()
    assert net.is_finite()


# ---- Σ‖W‖² after every step

SUMMED = [SGD(0.1, 0.3), SGD(0.1, 0.3, momentum=0.9), Adam(0.1, 0.3), Adam(0.1, clip_norm=0.5), SGD(0.1, clip_norm=0.1)]


@pytest.mark.parametrize("optimizer", SUMMED, ids=repr)
def test_the_squares_of_the_weights(optimizer, norm, dtype, all_threads):
    X, y = problem(64, 33, 3, dtype)
    X, widths = X - X.dtype.type(0.5), [33, 70, 9, 3]
    rng = np.random.default_rng(4)
    for threads in (1, 3):
        at_once, one_by_one = network(widths, norm, dtype), network(widths, norm, dtype)
        for net in (at_once, one_by_one):
            net.biases[0][:] = rng.uniform(5, 9, 70)  # biases must not count
        one_by_one.restore(at_once.snapshot())
        squares = np.full(4, np.nan)
        trainer = Trainer(at_once.network, X, y, 16, optimizer, threads)
        costs = trainer.run_epoch(np.arange(64), weight_squares=squares)
        trainer = Trainer(one_by_one.network, X, y, 16, optimizer, threads)
        for step in range(4):
            cost = trainer.run_epoch(np.arange(16 * step, 16 * step + 16))
            assert cost == costs[step]
            assert squares[step] == pytest.approx(one_by_one.penalty(2.0), rel=1e-6 if dtype == "float32" else 1e-14)
        assert at_once.snapshot().tobytes() == one_by_one.snapshot().tobytes()


# ---- the decay of single steps


@pytest.mark.parametrize("optimizer", [SGD(0.1), SGD(0.1, momentum=0.9), Adam(0.1)], ids=repr)
def test_each_step_has_its_decay(optimizer):
    X, y = problem(64, 9, 3, "float64")
    decays = [0.0, 0.3, 0.7, 0.01]
    at_once, one_by_one, without = (network([9, 18, 3], None, "float64") for _ in range(3))
    Trainer(at_once.network, X, y, 16, optimizer, 1).run_epoch(np.arange(64), l2=np.array(decays))
    Trainer(without.network, X, y, 16, optimizer, 1).run_epoch(np.arange(64))
    trainer = Trainer(one_by_one.network, X, y, 16, optimizer, 1)
    for step, decay in enumerate(decays):
        trainer.run_epoch(np.arange(16 * step, 16 * step + 16), l2=np.array([decay]))
    assert at_once.snapshot().tobytes() == one_by_one.snapshot().tobytes()
    assert np.abs(at_once.snapshot() - without.snapshot()).max() > 1e-3


def test_a_decay_of_steps_is_that_of_the_optimizer():
    X, y = problem(64, 9, 3)
    ours, theirs = network([9, 18, 3]), network([9, 18, 3])
    Trainer(ours.network, X, y, 16, SGD(0.1), 1).run_epoch(np.arange(64), l2=np.full(4, 0.3))
    Trainer(theirs.network, X, y, 16, SGD(0.1, weight_decay=0.3), 1).run_epoch(np.arange(64))
    assert ours.snapshot().tobytes() == theirs.snapshot().tobytes()
