"""Small trainings against the twin: the cost of every mini-batch, and every parameter at the end.

`train` documents the order of its random draws. If `validation` is a fraction, the generator made from `seed` draws a
permutation, whose first rows are held out. Then it draws one permutation of the training rows for each epoch.
"""

import numpy as np
import pytest
from closeness import assert_close
from networks import perturb
from reference_network import Network

from fastmlp import MLP, SGD, train

RATE, DECAY = 0.2, 0.05


@pytest.fixture
def problem():
    rng = np.random.default_rng(17)
    return rng.standard_normal((23, 5)), rng.integers(0, 3, size=23)


def _replay(twin, x, y, orders, batch_size, weight_decay=DECAY):
    """Train the twin on the rows of every order; return the cost of every mini-batch before its step."""
    costs = []
    for order in orders:
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            costs.append(twin.step(x[rows], y[rows], RATE, weight_decay))
    return costs


def _check(net, twin, history, costs, factor):
    assert_close(history.batch_costs, np.array(costs), net.dtype, factor)
    pairs = zip(
        [net.weights, net.biases, net.gammas, net.betas, net.running_means, net.running_vars],
        [twin.weights, twin.biases, twin.gammas, twin.betas, twin.running_means, twin.running_vars],
        strict=True,
    )
    for actual, expected in pairs:
        for array, other in zip(actual, expected, strict=True):
            assert_close(array, other, factor=factor)


# twelve steps, in which rounding errors add up
FACTOR = 20.0


@pytest.mark.parametrize("widths", [[5, 3], [5, 4, 3], [5, 6, 4, 3]], ids=str)
def test_whole_set_in_one_batch(widths, batch_norm, dtype, problem):
    x, y = problem
    net = perturb(MLP(widths, batch_norm=batch_norm, dtype=dtype.name, seed=2))
    twin = Network(net)
    optimizer = SGD(RATE, weight_decay=DECAY)
    history = train(net, x, y, validation=None, optimizer=optimizer, batch_size=23, epochs=12, progress=False)
    costs = _replay(twin, x, y, [np.arange(23)] * 12, batch_size=23)
    _check(net, twin, history, costs, FACTOR)


def test_mini_batches_in_the_documented_order(batch_norm, dtype, problem):
    x, y = problem
    net = perturb(MLP([5, 6, 3], batch_norm=batch_norm, input_scale=0.5, dtype=dtype.name, seed=2))
    twin = Network(net)
    optimizer = SGD(RATE, weight_decay=DECAY)
    history = train(net, x, y, validation=None, optimizer=optimizer, batch_size=7, epochs=3, seed=5, progress=False)
    rng = np.random.default_rng(5)
    # 23 rows in batches of 7: three whole batches and one of 2 rows
    costs = _replay(twin, x, y, [rng.permutation(23) for _ in range(3)], batch_size=7)
    assert len(costs) == 12
    _check(net, twin, history, costs, FACTOR)
    last = np.array(costs[-4:])
    expected = last @ [7, 7, 7, 2] / 23 + twin.omega(DECAY)
    assert_close(history.records[-1]["cost"], expected, dtype, FACTOR)
    assert_close(history.records[-1]["last_cost"], costs[-1] + twin.omega(DECAY), dtype, FACTOR)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    ("widths", "batch_size"),
    [
        ([33, 130, 17, 10], 97),
        ([7, 16, 15, 31, 3], 520),
        ([130, 33, 1, 5], 193),
        ([1, 257, 2], 64),
        ([65, 64, 63, 17], 129),
        ([300, 11], 77),
    ],
    ids=str,
)
def test_widths_and_batches_across_every_block(widths, batch_size, threads, batch_norm, dtype):
    rng = np.random.default_rng(sum(widths))
    x, y = rng.standard_normal((541, widths[0])), rng.integers(0, widths[-1], size=541)
    net = perturb(MLP(widths, batch_norm=batch_norm, input_scale=0.5, dtype=dtype.name, seed=2))
    twin = Network(net)
    arguments = {"optimizer": SGD(RATE, weight_decay=DECAY), "batch_size": batch_size, "epochs": 1, "seed": 5}
    history = train(net, x, y, validation=None, threads=threads, progress=False, **arguments)
    costs = _replay(twin, x, y, [np.random.default_rng(5).permutation(541)], batch_size)
    _check(net, twin, history, costs, FACTOR)


def test_held_out_rows(dtype, problem):
    x, y = problem
    net = perturb(MLP([5, 4, 3], dtype=dtype.name, seed=2))
    twin = Network(net)
    optimizer = SGD(RATE, weight_decay=DECAY)
    history = train(net, x, y, validation=0.2, optimizer=optimizer, batch_size=6, epochs=3, seed=5, progress=False)
    rng = np.random.default_rng(5)
    rows = rng.permutation(23)
    held_out, training = rows[:5], rows[5:]
    costs = _replay(twin, x, y, [training[rng.permutation(18)] for _ in range(3)], batch_size=6)
    _check(net, twin, history, costs, FACTOR)
    assert_close(history.records[-1]["val_cost"], twin.cost(x[held_out], y[held_out], DECAY), dtype, FACTOR)
    right = twin.outputs(x[held_out]).argmax(axis=1) == y[held_out]
    assert history.records[-1]["val_accuracy"] == right.mean()


def test_first_step_worked_by_hand():
    net = MLP([1, 2], dtype="float64", init=lambda rng, n_in, n_out: np.array([[1.0, -1.0]]))
    x, y = np.array([[0.0], [2.0]]), np.array([0, 0])
    optimizer = SGD(0.5, weight_decay=0.1)
    history = train(net, x, y, validation=None, optimizer=optimizer, batch_size=2, epochs=1, progress=False)
    # logits (0, 0) and (2, -2): probabilities 1/2 and p of the true class
    p = 1.0 / (1.0 + np.exp(-4.0))
    np.testing.assert_allclose(history.batch_costs, [(np.log(2.0) - np.log(p)) / 2.0], rtol=1e-14)
    # dW = ((1/2 - 1) · 0 + (p - 1) · 2) / 2 = p - 1 and its opposite; db = ((1/2 - 1) + (p - 1)) / 2 and its opposite
    np.testing.assert_allclose(net.weights[0], [[0.95 + 0.5 * (1 - p), -0.95 - 0.5 * (1 - p)]], rtol=1e-14)
    np.testing.assert_allclose(net.biases[0], [0.25 * (1.5 - p), -0.25 * (1.5 - p)], rtol=1e-14)
    omega = 0.05 * 2 * (0.95 + 0.5 * (1 - p)) ** 2
    np.testing.assert_allclose(history.records[0]["cost"], history.batch_costs[0] + omega, rtol=1e-14)
