"""Factors of the inputs: their gradients and steps against the formulas, and the same bits in every way."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
from closeness import assert_close
from engine_runs import gradient_of_step, network, problem
from networks import digest
from reference_network import Network
from reference_rules import LEARNED, Steps

from fastmlp import MLP, SGD, Adam, AdamW, BatchNorm, RateMultipliers, train, train_many
from fastmlp.engine import StepOptions, Trainer, epoch, zeros
from fastmlp.kernels.bfloat16 import PACKED, PLAIN, ROUNDED
from fastmlp.simd.target import HAS_BFLOAT16

# inputs: fewer than a panel, a panel, one more, several; outputs of the first layer likewise, and several tiles
NETWORKS = [[1, 3], [5, 9, 3], [16, 16, 4], [17, 130, 3], [70, 33, 20, 5]]
RULES = {
    "plain": SGD(1.0, 0.01),
    "momentum": SGD(1.0, 0.01, 0.9),
    "nesterov": SGD(1.0, 0.01, 0.9, nesterov=True),
    "adam": Adam(1.0, 0.01, 0.8, 0.95, 1e-3),
    "adamw": AdamW(1.0, 0.01, 0.8, 0.95, 1e-3),
}
RATES = RateMultipliers(weights=0.5, biases=0.1, factors=6.0)


def _net(widths, norm=None, dtype="float32", **arguments):
    return network(widths, norm, dtype, input_factors=True, **arguments)


@pytest.mark.parametrize("widths", NETWORKS, ids=str)
def test_gradients_are_those_of_the_twin(widths, norm, dtype, all_threads):
    X, y = problem(150, widths[0], widths[-1], dtype)
    net = _net(widths, norm, dtype, activation="tanh", input_scale=0.5)
    found = gradient_of_step(net, X, y, threads=3)
    expected = Network(net).gradients(X, y).parts()
    assert found[-1].shape == (widths[0],)
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other, dtype, 20)


@pytest.mark.parametrize("clip_norm", [None, 0.05])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("norm", [None, BatchNorm(affine=True)], ids=["none", "affine"])
def test_steps_by_the_formula(norm, rule, clip_norm, all_threads):
    X, y = problem(150, 33, 5, "float64")
    net = _net([33, 40, 5], norm, "float64")
    twin, optimizer = Network(net), replace(RULES[rule], rate_multipliers=RATES, clip_norm=clip_norm)
    trainer, formula = Trainer(net.network, X, y, 150, optimizer, 2), Steps(optimizer)
    for rate in (0.05, 0.03, 0.05):
        trainer.run_epoch(np.arange(150), rates=np.array([rate]))
        gradients = twin.gradients(X, y)
        length = np.sqrt(sum((part**2).sum() for part in gradients.parts()))
        assert length > 0.05
        if clip_norm is not None:
            for part in gradients.parts():
                part *= clip_norm / length
        formula.step({n: getattr(twin, n) for n in LEARNED}, {n: getattr(gradients, n) for n in LEARNED}, rate)
        for name in LEARNED:
            for found, expected in zip(getattr(net, name), getattr(twin, name), strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


def _without(net):
    """The network without factors that has them in its weights."""
    arguments = {"batch_norm": net.batch_norm, "dtype": net.dtype.name, "activation": net.activation}
    plain = MLP(net.widths, input_scale=net.input_scale, **arguments)
    for name in ("weights", "biases", "gammas", "betas", "running_means", "running_vars"):
        for target, source in zip(getattr(plain, name), getattr(net, name), strict=True):
            target[:] = source
    plain.weights[0][:] = net.factors[0][:, None] * net.weights[0]
    return plain


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_costs_and_outputs_have_the_bits_of_a_network_with_the_factors_in_its_weights(precision, norm):
    X, y = problem(90, 33, 5, "uint8")
    net = _net([33, 40, 5], norm, input_scale=1 / 255)
    plain = _without(net)
    if norm is None or norm.placement == "after_relu":  # else a prediction rounds both foldings together
        outputs = [one.outputs(X, matmul_precision=precision).tobytes() for one in (net, plain)]
        assert outputs[0] == outputs[1]
        assert net.cost(X, y) == plain.cost(X, y)
    options = StepOptions(matmul_precision=precision)
    costs = [
        Trainer(one.network, X, y, 90, Adam(), 1, options=options).run_epoch(np.arange(90))[0] for one in (net, plain)
    ]
    assert costs[0] == costs[1]


def test_a_factor_may_be_0():
    X, y = problem(60, 5, 3, "float64")
    net = _net([5, 9, 3], dtype="float64")
    net.factors[0][2] = 0
    found = gradient_of_step(net, X, y)
    expected = Network(net).gradients(X, y)
    np.testing.assert_allclose(found[-1], expected.factors[0], rtol=1e-9)
    assert found[-1][2] != 0
    assert not expected.weights[0][2].any()
    assert not found[0][2].any()


KINDS = [PLAIN, ROUNDED, PACKED] if HAS_BFLOAT16 else [PLAIN, ROUNDED]
TRAININGS = {
    "plain": (SGD(0.1, 0.01), {}),
    "adam": (Adam(0.01, rate_multipliers=RATES), {"batch_norm": BatchNorm(affine=True), "dropout": 0.2}),
    "clipped": (Adam(0.01, clip_norm=0.1), {"activation": "mish"}),
    "clipped_plain": (SGD(0.1, clip_norm=0.1), {"batch_norm": BatchNorm("before_relu", affine=True)}),
    "one_layer": (SGD(0.1, momentum=0.9), {"widths": [40, 7]}),
    "float64": (AdamW(0.01), {"dtype": "float64"}),
}


def _trained(name, X, y, threads, precision="float32"):
    optimizer, arguments = TRAININGS[name]
    net = network(**{"widths": [40, 33, 50, 7], "input_factors": True, "input_scale": 1 / 255} | arguments)
    history = train(
        net, X, y, validation=0.1, optimizer=optimizer, batch_size=64, epochs=3, threads=threads, progress=False,
        matmul_precision=precision,
    )  # fmt: skip
    assert (net.factors[0] != 1).all()
    return digest(net), history.batch_costs.tobytes()


@pytest.mark.parametrize("name", TRAININGS)
def test_same_bits_at_any_number_of_threads(name, all_threads):
    X, y = problem(300, 40, 7, "uint8")
    assert len({_trained(name, X, y, threads) for threads in (1, 2, 3, 7)}) == 1


@pytest.mark.parametrize("name", [name for name in TRAININGS if name != "float64"])
def test_same_bits_in_bfloat16_by_both_products(name, all_threads, monkeypatch):
    X, y = problem(300, 40, 7, "uint8")
    found = set()
    for kind in KINDS[1:]:
        monkeypatch.setattr(epoch, "operands_of", lambda _, kind=kind: kind)
        found |= {_trained(name, X, y, threads, "bfloat16") for threads in (1, 3)}
    assert len(found) == 1


@pytest.mark.parametrize("name", TRAININGS)
def test_same_bits_of_sparse_rows_and_where_zeros_are_left_out(name, monkeypatch):
    X, y = problem(300, 40, 7, "float32")
    X[np.random.default_rng(2).random(X.shape) < 0.9] = 0
    found = {_trained(name, X, y, 2), _trained(name, scipy.sparse.csr_array(X), y, 2)}
    assert zeros.mostly_zeros(X, 33)
    monkeypatch.setattr(zeros, "mostly_zeros", lambda *_: False)
    assert found == {_trained(name, X, y, 2)}


@pytest.mark.parametrize("name", ["plain", "adam"])
def test_same_bits_among_many(name):
    X, y = problem(300, 40, 7, "uint8")
    optimizer, arguments = TRAININGS[name]
    nets = [network([40, 33, 50, 7], input_factors=True, input_scale=1 / 255, **arguments) for _ in range(2)]
    train_many(nets, X, y, validation=0.1, optimizers=optimizer, batch_size=64, epochs=3, progress=False)
    assert {digest(net) for net in nets} == {_trained(name, X, y, 1)[0]}


def test_the_rate_of_the_factors_is_theirs_alone():
    X, y = problem(100, 9, 3)
    for factors in (0.0, 1.0):
        net = _net([9, 8, 3])
        before = net.factors[0].copy()
        optimizer = Adam(0.1, rate_multipliers=RateMultipliers(weights=0.0, biases=0.0, factors=factors))
        weights = [weight.copy() for weight in net.weights]
        train(net, X, y, optimizer=optimizer, batch_size=50, epochs=1, progress=False)
        assert all((one == other).all() for one, other in zip(net.weights, weights, strict=True))
        assert (net.factors[0] != before).all() == (factors > 0)


def test_the_moments_of_the_factors_lie_as_they_do():
    X, y = problem(100, 20, 3, "float64")
    net = _net([20, 8, 3], dtype="float64")
    before = net.factors[0].copy()
    history = train(
        net, X, y, validation=None, optimizer=SGD(0.1, momentum=0.9), batch_size=100, epochs=1, progress=False
    )
    speed = net.views_of(history.state.moments[0])["factors"][0]
    np.testing.assert_allclose(speed, net.factors[0] - before, rtol=1e-9)
    assert speed.all()
