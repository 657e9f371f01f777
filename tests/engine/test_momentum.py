"""SGD with momentum, held against its formula in float64, whose gradients come from plain steps."""

import numpy as np
import pytest

from fastmlp import SGD, BatchNorm, train
from fastmlp.engine import Trainer
from fastmlp.schedules import Cosine

NETWORKS = [[5, 3], [33, 17, 10], [20, 40, 35, 4], [17, 130, 3]]
NORMS = [None, BatchNorm(affine=True), BatchNorm(placement="before_relu", affine=True)]
RATE, DECAY, MOMENTUM = 0.05, 0.01, 0.9
LEARNED = ("weights", "biases", "gammas", "betas")


def gradients(net, make, X, y, order):
    """The gradients of the mean cost at the network's parameters: what a plain step of rate 1 takes away."""
    moved = make()
    moved.restore(net.snapshot())
    Trainer(moved, X, y, len(order), SGD(1.0), 1).run_epoch(order)
    return {name: [a - b for a, b in zip(net.arrays[name], moved.arrays[name], strict=True)] for name in LEARNED}


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("batch_norm", NORMS, ids=["none", "after", "before"])
@pytest.mark.parametrize("widths", NETWORKS, ids=str)
def test_steps_by_the_formula(widths, batch_norm, nesterov, network, problem):
    X, y = problem(150, widths[0], widths[-1], "float64")

    def make():
        return network(widths, batch_norm, dtype="float64")

    net, twin = make(), make()
    order = np.random.default_rng(2).permutation(150)  # more rows than one partial sum of dW has
    trainer = Trainer(net, X, y, 150, SGD(1.0, DECAY, MOMENTUM, nesterov), 2)
    velocity = {name: [np.zeros_like(a) for a in twin.arrays[name]] for name in LEARNED}
    for rate in (RATE, RATE / 2, RATE):
        trainer.run_epoch(order, rates=np.array([rate]))
        slopes = gradients(twin, make, X, y, order)
        for name in LEARNED:
            decay = DECAY if name == "weights" else 0.0
            for w, v, slope in zip(twin.arrays[name], velocity[name], slopes[name], strict=True):
                step = rate * (slope + decay * w)
                v[...] = MOMENTUM * v - step
                w += MOMENTUM * v - step if nesterov else v
        for name in LEARNED:
            for found, expected in zip(net.arrays[name], twin.arrays[name], strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("batch_norm", NORMS, ids=["none", "after", "before"])
@pytest.mark.parametrize("nesterov", [False, True])
def test_same_bits_with_any_number_of_threads(nesterov, batch_norm, network, problem, all_threads, digest):
    X, y = problem(300, 40, 7, "uint8")
    digests = set()
    for threads in (1, 2, 3, 7):
        net = network([40, 33, 50, 7], batch_norm, input_scale=1 / 255)
        optimizer = SGD(Cosine(0.1), DECAY, MOMENTUM, nesterov)
        train(net, X, y, optimizer=optimizer, batch_size=64, epochs=3, threads=threads, progress=False)
        digests.add(digest(net))
    assert len(digests) == 1


def test_velocities_last_from_epoch_to_epoch(network, problem):
    X, y = problem(64, 20, 3)
    order = np.arange(64)
    at_once, by_halves = network([20, 9, 3]), network([20, 9, 3])
    Trainer(at_once, X, y, 16, SGD(0.1, 0.0, 0.9), 1).run_epoch(order)
    trainer = Trainer(by_halves, X, y, 16, SGD(0.1, 0.0, 0.9), 1)
    trainer.run_epoch(order[:32])
    trainer.run_epoch(order[32:])
    assert at_once.snapshot().tobytes() == by_halves.snapshot().tobytes()


def test_no_momentum_is_plain(network, problem):
    X, y = problem(64, 20, 3)
    plain, zero = network([20, 9, 3]), network([20, 9, 3])
    for net, optimizer in ((plain, SGD(0.1, 0.01)), (zero, SGD(0.1, 0.01, momentum=0))):
        train(net, X, y, optimizer=optimizer, batch_size=16, epochs=2, progress=False)
    assert plain.snapshot().tobytes() == zero.snapshot().tobytes()


def test_momentum_learns_faster_where_the_rate_is_small(network, problem):
    X, y = problem(400, 20, 3)
    costs = []
    for optimizer in (SGD(0.005), SGD(0.005, momentum=0.9)):
        net = network([20, 9, 3])
        history = train(net, X, y, optimizer=optimizer, batch_size=32, epochs=10, progress=False)
        costs.append(history.records[-1]["cost"])
    assert costs[1] < costs[0]
