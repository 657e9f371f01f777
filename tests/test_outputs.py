"""Every output function from training to prediction, and the methods that an output function does not have."""

import numpy as np
import pytest

from fastmlp import MLP, Adam, losses, train
from fastmlp.mlp import ACTIVATIONS

SETTINGS = {"validation": None, "optimizer": Adam(0.01), "batch_size": 50, "epochs": 60, "progress": False}


@pytest.fixture(name="X")
def points():
    return np.random.default_rng(6).uniform(-1, 1, (400, 3))


def _curve(X):
    return np.stack([np.sin(2 * X[:, 0]) + X[:, 1] ** 2, X[:, 0] * X[:, 2]], axis=1)


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "identity"])
def test_regression_by_every_activation(activation, X):
    y = _curve(X)
    net = MLP([3, 24, 2], activation=activation, output="identity")
    history = train(net, X, y, **SETTINGS)
    assert net.cost(X, y) < 0.2 * 0.5 * y.var(axis=0).sum()
    assert history.records[-1]["cost"] < history.records[0]["cost"] / 3
    assert net.predict(X).shape == (400, 2)
    assert net.predict(X).dtype == np.float32


# the mean; the median; for c between 1 and 1½, the derivative of Huber's error, ½ + 2 (c - 1) - ½ - ½, is 0 at 1¼
@pytest.mark.parametrize(
    ("loss", "expected"), [(losses.SquaredError(), 2.8), (losses.AbsoluteError(), 1.0), (losses.Huber(0.5), 1.25)]
)
def test_a_constant_is_the_mean_the_median_or_between(loss, expected):
    y = np.tile([0.0, 1.0, 1.0, 2.0, 10.0], 20)
    net = MLP([1, 1], output="identity", dtype="float64")
    settings = SETTINGS | {"optimizer": Adam(0.02), "batch_size": 100, "epochs": 600}
    train(net, np.zeros((100, 1)), y, loss=loss, **settings)
    assert net.predict([[0.0]])[0, 0] == pytest.approx(expected, abs=0.03)


def test_labels_that_occur_together(X):
    y = np.stack([X[:, 0] > 0, X[:, 1] * X[:, 2] > 0, X[:, 0] > 2], axis=1)
    net = MLP([3, 32, 3], activation="gelu", output="logistic")
    train(net, X, y, **SETTINGS)
    proba, flags = net.predict_proba(X), net.predict(X)
    assert flags.dtype == np.int64
    np.testing.assert_array_equal(flags, proba > 0.5)
    assert (flags == y).mean() > 0.95
    assert net.accuracy(X, y) == (flags == y).all(axis=1).mean()
    assert ((proba >= 0) & (proba <= 1)).all()
    assert not np.allclose(proba.sum(axis=1), 1)


def test_two_classes_by_one_flag_are_two_by_softmax(X):
    # the difference of two logits is one logit: same cost, same probabilities
    y = (X[:, 0] + X[:, 1] > 0.2).astype(int)
    one = MLP([3, 1], output="logistic", dtype="float64", seed=1)
    two = MLP([3, 2], dtype="float64", init=lambda rng, n_in, n_out: np.c_[np.zeros((3, 1)), one.weights[0]])
    assert one.cost(X, y) == pytest.approx(two.cost(X, y), rel=1e-12)
    assert one.accuracy(X, y) == two.accuracy(X, y)
    np.testing.assert_allclose(one.predict_proba(X)[:, 0], two.predict_proba(X)[:, 1], rtol=1e-10)


def test_counts(X):
    rate = np.exp(1.5 * X[:, 0] - X[:, 1] ** 2)
    y = np.random.default_rng(1).poisson(rate)
    net = MLP([3, 24, 1], activation="silu", output="exp")
    start = net.cost(X, y)
    train(net, X, y, **SETTINGS)
    predicted = net.predict(X)[:, 0]
    assert (predicted > 0).all()
    assert net.cost(X, y) < 0.6 * start
    assert np.corrcoef(predicted, rate)[0, 1] > 0.9
    assert predicted.mean() == pytest.approx(y.mean(), rel=0.1)


def test_smoothing_keeps_probabilities_from_their_ends(blobs):
    X, y = blobs
    largest = []
    for smoothing in (0.0, 0.2):
        net = MLP([5, 16, 3])
        train(net, X, y, loss=losses.CrossEntropy(smoothing), **SETTINGS)
        assert net.accuracy(X, y) > 0.97
        largest.append(np.median(net.predict_proba(X).max(axis=1)))
    # the minimum has 1 - ε + ε/3 for the class
    assert largest[0] > 0.95
    assert largest[1] == pytest.approx(0.8 + 0.2 / 3, abs=0.05)


def test_dropout_learns(blobs):
    X, y = blobs
    net = MLP([5, 32, 16, 3], activation="silu", dropout=(0.2, 0.4))
    train(net, X, y, **SETTINGS)
    assert net.accuracy(X, y) > 0.97


@pytest.mark.parametrize("output", ["identity", "exp"])
def test_what_numbers_have_no_answer_to(output, X):
    net = MLP([3, 2], output=output)
    with pytest.raises(ValueError, match=rf"probabilities need.*{output}"):
        net.predict_proba(X)
    with pytest.raises(ValueError, match=rf"accuracy needs.*{output}"):
        net.accuracy(X, np.ones((400, 2)))
    assert net.outputs(X).tobytes() == net.predict(X).tobytes()


def test_one_output_takes_a_vector_or_a_column(X):
    for output in ("identity", "logistic", "exp"):
        net = MLP([3, 4, 1], output=output)
        y = (X[:, 0] > 0).astype(np.uint8)
        assert net.cost(X, y) == net.cost(X, y[:, None].astype(float))
        nets = [MLP([3, 4, 1], output=output) for _ in range(2)]
        for each, targets in zip(nets, (y.tolist(), y[:, None]), strict=True):
            train(each, X, targets, **SETTINGS | {"epochs": 1, "validation": 0.2})
        assert nets[0].snapshot().tobytes() == nets[1].snapshot().tobytes()
