"""Momentum, Adam and AdamW against their formulas in float64, with gradients from plain SGD steps."""

from dataclasses import replace

import numpy as np
import pytest
from engine_runs import network, problem
from networks import digest
from reference_rules import LEARNED, Steps

from fastmlp import SGD, Adam, AdamW, BatchNorm, RateMultipliers, train
from fastmlp.engine import Trainer
from fastmlp.optimizers import State
from fastmlp.schedules import Cosine

NETWORKS = [[5, 3], [33, 17, 10], [20, 40, 35, 4], [17, 130, 3]]
NORMS = [None, BatchNorm(affine=True), BatchNorm(placement="before_relu", affine=True)]
RATE, DECAY, MOMENTUM = 0.05, 0.01, 0.9


def gradients(net, make, X, y, order):
    """The gradients of the mean cost at the network's parameters: what a plain SGD step with rate 1 subtracts."""
    moved = make()
    moved.restore(net.snapshot())
    Trainer(moved.network, X, y, len(order), SGD(1.0), 1).run_epoch(order)
    return {name: [a - b for a, b in zip(net.arrays[name], moved.arrays[name], strict=True)] for name in LEARNED}


RULES = {
    "momentum": SGD(1.0, DECAY, MOMENTUM),
    "nesterov": SGD(1.0, DECAY, MOMENTUM, nesterov=True),
    "adam": Adam(1.0, DECAY, 0.8, 0.95, 1e-3),
    "adamw": AdamW(1.0, DECAY, 0.8, 0.95, 1e-3),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("batch_norm", NORMS, ids=["none", "after", "before"])
@pytest.mark.parametrize("widths", NETWORKS, ids=str)
def test_steps_by_the_formula(widths, batch_norm, rule):
    X, y = problem(150, widths[0], widths[-1], "float64")

    def make():
        return network(widths, batch_norm, dtype="float64")

    net, twin = make(), make()
    order = np.random.default_rng(2).permutation(150)  # more rows than a partial sum of dW takes
    trainer, formula = Trainer(net.network, X, y, 150, RULES[rule], 2), Steps(RULES[rule])
    for rate in (RATE, RATE / 2, RATE):
        trainer.run_epoch(order, rates=np.array([rate]))
        formula.step(twin.arrays, gradients(twin, make, X, y, order), rate)
        for name in LEARNED:
            for found, expected in zip(net.arrays[name], twin.arrays[name], strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("batch_norm", NORMS, ids=["none", "after", "before"])
@pytest.mark.parametrize("rule", RULES)
def test_same_bits_with_any_number_of_threads(rule, batch_norm, all_threads):
    X, y = problem(300, 40, 7, "uint8")
    optimizer = replace(RULES[rule], learning_rate=Cosine(0.03))
    digests = set()
    for threads in (1, 2, 3, 7):
        net = network([40, 33, 50, 7], batch_norm, input_scale=1 / 255)
        train(net, X, y, optimizer=optimizer, batch_size=64, epochs=3, threads=threads, progress=False)
        digests.add(digest(net))
    assert len(digests) == 1


# ---- learning rates of their own

MULTIPLIED = RateMultipliers(weights=0.7, biases=2.0, norms=0.3)
PLAIN = {"plain": SGD(1.0, DECAY), "clipped": SGD(1.0, DECAY, clip_norm=1e9)}


@pytest.mark.parametrize("rule", [*RULES, *PLAIN])
@pytest.mark.parametrize("batch_norm", NORMS, ids=["none", "after", "before"])
@pytest.mark.parametrize("by_layer", [False, True])
def test_steps_with_rate_multipliers_by_the_formula(by_layer, batch_norm, rule):
    X, y = problem(150, 20, 4, "float64")

    def make():
        return network([20, 40, 35, 4], batch_norm, dtype="float64")

    net, twin, order = make(), make(), np.arange(150)
    multipliers = replace(MULTIPLIED, weights=(0.5, 1.0, 0.0), biases=(3.0, 0.0, 1.0)) if by_layer else MULTIPLIED
    optimizer = replace((RULES | PLAIN)[rule], rate_multipliers=multipliers)
    trainer, formula = Trainer(net.network, X, y, 150, optimizer, 2), Steps(optimizer)
    for rate in (RATE, RATE / 2):
        trainer.run_epoch(order, rates=np.array([rate]))
        formula.step(twin.arrays, gradients(twin, make, X, y, order), rate)
        for name in LEARNED:
            for found, expected in zip(net.arrays[name], twin.arrays[name], strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)
    if by_layer:
        before = make()
        np.testing.assert_array_equal(net.weights[2], before.weights[2])
        np.testing.assert_array_equal(net.biases[1], before.biases[1])


@pytest.mark.parametrize("rule", [*RULES, *PLAIN])
@pytest.mark.parametrize("kind", ["uint8", "mostly zeros", "bfloat16"])
def test_all_multipliers_of_one_half_are_half_the_rate(kind, rule):
    X, y = problem(200, 40, 7, "uint8")
    if kind == "mostly zeros":
        X = np.where(np.random.default_rng(1).random(X.shape) < 0.1, X, 0).astype(np.uint8)
    optimizer, digests = replace((RULES | PLAIN)[rule], learning_rate=0.25), set()
    half = RateMultipliers(weights=0.5, biases=0.5, norms=0.5)
    for used in (replace(optimizer, learning_rate=0.125), replace(optimizer, rate_multipliers=half)):
        net = network([40, 33, 7], BatchNorm(affine=True), input_scale=1 / 255)
        precision = "bfloat16" if kind == "bfloat16" else "float32"
        train(net, X, y, optimizer=used, batch_size=64, epochs=2, progress=False, matmul_precision=precision)
        digests.add(digest(net))
    assert len(digests) == 1


@pytest.mark.parametrize("rule", [*RULES, *PLAIN])
def test_the_biases_rate_is_theirs_alone(rule):
    """Where zeros are left out and where products are rounded, weights and biases have steps of their own."""
    rng = np.random.default_rng(1)
    X, y = np.where(rng.random((200, 40)) < 0.1, 1.0, 0.0).astype(np.float32), rng.integers(0, 3, 200)
    optimizer = replace((RULES | PLAIN)[rule], learning_rate=0.1, rate_multipliers=RateMultipliers(biases=0.0))
    for precision in ("float32", "bfloat16"):
        net = network([40, 33, 3])
        before = network([40, 33, 3])
        train(net, X, y, optimizer=optimizer, batch_size=64, epochs=1, progress=False, matmul_precision=precision)
        for found, expected in zip(net.biases, before.biases, strict=True):
            np.testing.assert_array_equal(found, expected)
        assert all((w != v).any() for w, v in zip(net.weights, before.weights, strict=True))


def test_adam_by_the_neural_tangent_parametrisation():
    """Steps of U in ``z = x U / √n_in + b`` are steps of ``U / √n_in`` with the rate over √n_in and ε · √n_in."""
    widths, rate, epsilon = [9, 9, 9, 3], 0.05, 1e-3  # equal widths: ε is that of all layers
    X, y = problem(60, 9, 3, "float64")

    def make():
        return network(widths, dtype="float64")

    net, twin, root = make(), make(), 3.0
    optimizer = Adam(rate, epsilon=epsilon * root, rate_multipliers=RateMultipliers(weights=1 / root, biases=0.1))
    formula = Steps(Adam(rate, epsilon=epsilon, rate_multipliers=RateMultipliers(biases=0.1)))
    biases = Steps(replace(optimizer, rate_multipliers=RateMultipliers(biases=0.1)))
    trainer, order = Trainer(net.network, X, y, 60, optimizer, 2), np.arange(60)
    scaled = {"weights": [w * root for w in twin.weights]} | {name: [] for name in LEARNED[1:]}
    for _ in range(4):
        found = gradients(twin, make, X, y, order)
        formula.step(scaled, {"weights": [g / root for g in found["weights"]]} | {name: [] for name in LEARNED[1:]})
        biases.step(
            {name: twin.arrays[name] if name == "biases" else [] for name in LEARNED},
            {name: found[name] if name == "biases" else [] for name in LEARNED},
        )
        for weight, u in zip(twin.weights, scaled["weights"], strict=True):
            weight[:] = u / root
        trainer.run_epoch(order)
        for name in ("weights", "biases"):
            for one, other in zip(net.arrays[name], twin.arrays[name], strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("rule", RULES)
def test_the_state_lasts_from_epoch_to_epoch(rule):
    X, y = problem(64, 20, 3)
    order = np.arange(64)
    optimizer = replace(RULES[rule], learning_rate=0.1)
    at_once, by_halves = network([20, 9, 3]), network([20, 9, 3])
    Trainer(at_once.network, X, y, 16, optimizer, 1).run_epoch(order)
    trainer = Trainer(by_halves.network, X, y, 16, optimizer, 1)
    trainer.run_epoch(order[:32])
    trainer.run_epoch(order[32:])
    assert at_once.snapshot().tobytes() == by_halves.snapshot().tobytes()


def test_no_momentum_is_plain():
    X, y = problem(64, 20, 3)
    plain, zero = network([20, 9, 3]), network([20, 9, 3])
    for net, optimizer in ((plain, SGD(0.1, 0.01)), (zero, SGD(0.1, 0.01, momentum=0))):
        train(net, X, y, optimizer=optimizer, batch_size=16, epochs=2, progress=False)
    assert plain.snapshot().tobytes() == zero.snapshot().tobytes()


@pytest.mark.parametrize("optimizer", [SGD(0.005, momentum=0.9), Adam(0.005), AdamW(0.005)], ids=repr)
def test_it_learns_faster_than_plain_descent_where_the_rate_is_small(optimizer):
    X, y = problem(400, 20, 3)
    costs = []
    for rule in (SGD(0.005), optimizer):
        net = network([20, 9, 3])
        history = train(net, X, y, optimizer=rule, batch_size=32, epochs=10, progress=False)
        costs.append(history.records[-1]["cost"])
    assert costs[1] < costs[0]


def test_only_what_is_in_the_cost_is_reported():
    X, y = problem(60, 5, 3)
    for optimizer, l2 in ((Adam(1e-9, 0.5), 0.5), (AdamW(1e-9, 0.5), 0.0)):
        net = network([5, 3])
        history = train(net, X, y, validation=(X, y), optimizer=optimizer, batch_size=60, epochs=1, progress=False)
        assert history.records[0]["val_cost"] == pytest.approx(net.cost(X, y, weight_decay=l2), rel=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 2])
def test_moments_become_zero_and_not_denormal(dtype, threads):
    """On some CPUs, denormal moments would double the time of a training. The caller's arithmetic does not change."""
    net = network([5, 40, 3], dtype=dtype)
    X, y = np.zeros((64, 5), dtype), np.zeros(64, np.int64)
    trainer = Trainer(net.network, X, y, 32, SGD(0.1, momentum=0.5), threads)
    smallest = np.finfo(dtype).smallest_normal
    velocity = np.full_like(trainer.export_state().moments[0], 1.5 * smallest)
    trainer.import_state(State(0, [velocity]))
    trainer.run_epoch(np.arange(64))
    after = net.views_of(trainer.export_state().moments[0])["weights"][0]
    np.testing.assert_array_equal(after, 0)  # the data are 0, so the gradient of the first layer's weights is 0
    assert np.array([smallest], dtype)[0] * np.dtype(dtype).type(0.5) > 0
