"""Dropout in the engine: the same masks forward and backward as the twin, none in predictions, always the same bits."""

import numpy as np
import pytest
import reference
from closeness import assert_close
from engine_runs import gradient_of_step, network, problem
from networks import digest
from reference_network import Network

from fastmlp import SGD, Adam, train
from fastmlp.engine import StepOptions, Trainer, evaluate, outputs
from fastmlp.kernels.dropout import threshold_of

WIDTHS, RATES = [9, 37, 7, 21, 5], (0.25, 0.0, 0.5)
KEY = 0x1234567890ABCDEF


def _masks(n, step, key=KEY):
    shapes = [(n, width) for width in WIDTHS[1:-1]]
    return [
        reference.dropout_mask(shape, key, step, layer, threshold_of(rate))
        for layer, (shape, rate) in enumerate(zip(shapes, RATES, strict=True))
    ]


@pytest.mark.parametrize("activation", ["relu", "gelu", "logistic"])
def test_gradients_go_through_the_masks_of_the_forward_pass(activation, norm, dtype):
    X, y = problem(70, WIDTHS[0], WIDTHS[-1], dtype)
    net = network(WIDTHS, norm, dtype, activation=activation, dropout=RATES)
    twin = Network(net)
    twin.masks = _masks(70, step=0)
    found = gradient_of_step(net, X, y, key=KEY)
    for gradient, expected in zip(found, twin.gradients(X, y).parts(), strict=True):
        assert_close(gradient, expected, dtype, factor=10.0)


@pytest.mark.parametrize("batch_size", [20, 97])
def test_every_step_has_masks_of_its_own(batch_size, norm):
    X, y = problem(150, WIDTHS[0], WIDTHS[-1], "float64")
    net = network(WIDTHS, norm, "float64", activation="tanh", dropout=RATES)
    twin = Network(net)
    trainer = Trainer(net.network, X, y, batch_size, SGD(0.1), 1, options=StepOptions(key=KEY))
    step = 0
    for epoch in range(2):  # the number of steps, which decides the masks, goes on from epoch to epoch
        order = np.random.default_rng(epoch).permutation(150)
        costs = trainer.run_epoch(order)
        for cost, start in zip(costs, range(0, 150, batch_size), strict=True):
            rows = order[start : start + batch_size]
            twin.masks = _masks(len(rows), step)
            assert_close(cost, twin.step(X[rows], y[rows], 0.1), factor=10.0)
            step += 1
    for found, expected in zip(Network(net).parameters(), twin.parameters(), strict=True):
        assert_close(found, expected, factor=100.0)


@pytest.mark.parametrize(("rate", "differ"), [(0.0, False), (0.3, True)])
def test_the_key_decides_only_where_there_is_dropout(rate, differ):
    X, y = problem(64, 9, 3)
    found = set()
    for key in (1, 2):
        net = network([9, 17, 3], dropout=rate)
        Trainer(net.network, X, y, 16, SGD(0.1), 1, options=StepOptions(key=key)).run_epoch(np.arange(64))
        found.add(net.snapshot().tobytes())
    assert len(found) == 1 + differ


def test_prediction_drops_nothing(norm, dtype):
    X, y = problem(70, WIDTHS[0], WIDTHS[-1], dtype)
    dropping, whole = (network(WIDTHS, norm, dtype, dropout=rates) for rates in (RATES, 0.0))
    assert outputs(dropping.network, X, 2)[0].tobytes() == outputs(whole.network, X, 2)[0].tobytes()
    assert evaluate(dropping.network, X, y, None, 2) == evaluate(whole.network, X, y, None, 2)
    # a prediction depends on the parameters alone, also after a training
    train(dropping, X, y, batch_size=20, epochs=1, progress=False)
    whole.restore(dropping.snapshot())
    assert dropping.predict_proba(X).tobytes() == whole.predict_proba(X).tobytes()


def test_the_seed_decides_the_masks():
    X, y = problem(64, 9, 3)
    digests = []
    for seed in (3, 3, 4):
        net = network([9, 17, 3], dropout=0.3)
        # one batch of equal rows, none held out: the seed cannot act by the order of the rows
        train(net, np.repeat(X[:1], 64, axis=0), np.repeat(y[:1], 64), validation=None, epochs=2, seed=seed,
              progress=False)  # fmt: skip
        digests.append(net.snapshot().tobytes())
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("optimizer", [SGD(0.1), SGD(0.1, clip_norm=0.5), Adam(0.01, clip_norm=0.5)], ids=repr)
@pytest.mark.parametrize("activation", ["relu", "logistic", "gelu"])
def test_same_bits_with_any_number_of_threads(activation, optimizer, norm, all_threads):
    X, y = problem(230, WIDTHS[0], WIDTHS[-1], "uint8")
    weights = np.random.default_rng(4).uniform(0, 2, 230)
    digests = set()
    for threads in (1, 2, 3, 7):
        net = network(WIDTHS, norm, input_scale=1 / 255, activation=activation, dropout=RATES)
        history = train(net, X, y, sample_weight=weights, optimizer=optimizer, batch_size=64, epochs=2,
                        threads=threads, progress=False)  # fmt: skip
        digests.add((digest(net), history.batch_costs.tobytes(), history.records[-1]["val_cost"]))
    assert len(digests) == 1
