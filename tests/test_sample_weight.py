"""`train` and `MLP.cost` with weights of rows and of classes."""

import numpy as np
import pytest
from networks import digest

from fastmlp import MLP, SGD, Adam, EarlyStopping, train

QUIET = {"progress": False}


def _trained(X, y, widths=(5, 8, 3), output="softmax", **arguments):
    net = MLP(widths, output=output, dtype="float64", seed=1)
    settings = {"validation": None, "optimizer": SGD(0.1), "batch_size": 40, "epochs": 2} | arguments
    return net, train(net, X, y, **settings, **QUIET)


def test_a_record_is_the_weighted_mean(blobs):
    X, y = blobs
    weights = np.random.default_rng(1).choice([0.0, 1.0, 5.0], 150)
    net, history = _trained(X, y, sample_weight=weights, optimizer=SGD(1e-12), epochs=1)
    expected = net.cost(X, y, sample_weight=weights)
    assert history.records[0]["cost"] == pytest.approx(expected, rel=1e-9)
    assert expected == pytest.approx(
        sum(w * net.cost(X[i : i + 1], y[i : i + 1]) for i, w in enumerate(weights)) / weights.sum()
    )
    assert abs(expected - net.cost(X, y)) > 1e-4


def test_equal_weights_are_none(blobs):
    X, y = blobs
    net, _ = _trained(X, y)
    for weights in (np.ones(150), np.full(150, 7), [3] * 150):
        weighted, _ = _trained(X, y, sample_weight=weights)
        np.testing.assert_allclose(weighted.snapshot(), net.snapshot(), rtol=1e-10, atol=1e-12)


def test_weights_decide_what_is_learned(blobs):
    X, y = blobs
    wrong = np.random.default_rng(1).permutation(y)
    both, labels = np.concatenate([X, X]), np.concatenate([wrong, y])
    weights = np.repeat([0.0, 1.0], 150)
    net, _ = _trained(both, labels, sample_weight=weights, epochs=40)
    assert net.accuracy(X, y) > 0.97


@pytest.mark.parametrize("class_weight", [{0: 0.5, 2: 3}, {1: 0}, {np.int64(2): 2.5}, "balanced"], ids=str)
@pytest.mark.parametrize("sampled", [False, True], ids=["classes", "rows_too"])
def test_weights_of_classes_are_weights_of_their_rows(class_weight, sampled, blobs):
    X, y = blobs
    X, y = X[(y != 2) | (np.arange(150) % 3 == 0)], y[(y != 2) | (np.arange(150) % 3 == 0)]
    counts = np.bincount(y)
    if class_weight == "balanced":
        factors = len(y) / (3 * counts)
        assert counts @ factors == pytest.approx(len(y))
    else:
        factors = np.array([class_weight.get(index, 1) for index in range(3)], float)
    rows = np.random.default_rng(1).uniform(0.5, 2, len(y)) if sampled else None
    expected = factors[y] if rows is None else factors[y] * rows
    for validation in (None, 0.2):
        net, history = _trained(X, y, sample_weight=rows, class_weight=class_weight, validation=validation)
        other, others = _trained(X, y, sample_weight=expected, validation=validation)
        assert digest(net) == digest(other)
        assert history.records[-1]["cost"] == others.records[-1]["cost"]
        assert history.records[-1]["val_cost"] == others.records[-1]["val_cost"]


def test_balanced_counts_the_classes_that_are_there(blobs):
    X, y = blobs
    X, y = X[y != 1], y[y != 1]
    net, _ = _trained(X, y, class_weight="balanced")
    factors = len(y) / (2 * np.maximum(np.bincount(y), 1))
    assert digest(net) == digest(_trained(X, y, sample_weight=factors[y])[0])


@pytest.mark.parametrize("class_weight", [{1: 4.0}, "balanced"], ids=str)
def test_one_flag_has_two_classes(class_weight, blobs):
    X, y = blobs[0], (blobs[1] == 2).astype(int)
    factors = np.array([1, 4]) if class_weight != "balanced" else len(y) / (2 * np.bincount(y))
    nets = [
        _trained(X, y, (5, 8, 1), "logistic", **weights)[0]
        for weights in ({"class_weight": class_weight}, {"sample_weight": factors[y]})
    ]
    assert digest(nets[0]) == digest(nets[1])


# ---- validation


def test_held_out_rows_keep_their_weights(blobs):
    X, y = blobs
    weights = np.random.default_rng(1).choice([0.0, 1.0, 5.0], 150)
    net, history = _trained(X, y, sample_weight=weights, validation=0.2, epochs=1, seed=3)
    rows = np.random.default_rng(3).permutation(150)[:30]
    expected = net.cost(X[rows], y[rows], sample_weight=weights[rows])
    assert history.records[0]["val_cost"] == pytest.approx(expected, rel=1e-12)
    right = net.predict(X[rows]) == y[rows]
    assert history.records[0]["val_accuracy"] == pytest.approx(right @ weights[rows] / weights[rows].sum())


def test_a_validation_triple_has_weights(blobs):
    X, y = blobs
    weights = np.random.default_rng(1).choice([0.0, 1.0, 5.0], 50)
    net, history = _trained(X[50:], y[50:], validation=(X[:50], y[:50], weights), epochs=1)
    expected = net.cost(X[:50], y[:50], sample_weight=weights)
    assert history.records[0]["val_cost"] == pytest.approx(expected, rel=1e-12)
    right = net.predict(X[:50]) == y[:50]
    assert history.records[0]["val_accuracy"] == pytest.approx(right @ weights / weights.sum())
    _, plain = _trained(X[50:], y[50:], validation=(X[:50], y[:50], None), epochs=1)
    assert plain.records[0]["val_cost"] == pytest.approx(net.cost(X[:50], y[:50]), rel=1e-12)


# ---- a metric of the user


def test_a_metric_gets_the_network_and_the_held_out_rows(blobs):
    X, y = blobs
    seen = []

    def metric(net, X_val, y_val):
        seen.append((net.snapshot(), X_val, y_val))
        return np.float32(len(seen))

    net, history = _trained(X, y, validation=0.2, epochs=3, seed=3, stop=EarlyStopping(metric))
    rows = np.random.default_rng(3).permutation(150)[:30]
    for _, X_val, y_val in seen:
        np.testing.assert_array_equal(X_val, X[rows])
        np.testing.assert_array_equal(y_val, y[rows])
    assert len({snapshot.tobytes() for snapshot, _, _ in seen}) == 3
    assert seen[-1][0].tobytes() == net.snapshot().tobytes()
    assert [record["val_score"] for record in history.records] == [1.0, 2.0, 3.0]
    assert {type(record["val_score"]) for record in history.records} == {float}


def test_a_metric_of_a_pair_and_what_a_metric_raises(blobs):
    X, y = blobs
    pair = X[:20].tolist(), y[:20].tolist()

    def metric(net, X_val, y_val):
        assert (X_val.shape, y_val.shape) == ((20, 5), (20,))
        raise ZeroDivisionError("of the metric")

    with pytest.raises(ZeroDivisionError, match="of the metric"):
        _trained(X, y, validation=pair, stop=EarlyStopping(metric))


def test_the_cost_stops_training_of_any_output(blobs):
    X, _ = blobs
    net = MLP([5, 8, 1], output="identity")
    stop = EarlyStopping("cost", patience=2, min_delta=10.0)
    history = train(net, X, X[:, 0] - X[:, 1], optimizer=Adam(0.01), epochs=20, stop=stop, **QUIET)
    assert history.stopped_because == "early stopping"
    assert history.epochs == 3
    assert history.records[-1]["val_accuracy"] is None
