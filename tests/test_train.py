"""`train`: learning, batches, held-out rows, and stopping."""

import threading
import warnings

import numpy as np
import pytest
from networks import digest
from reference_network import Network

from fastmlp import MLP, SGD, BatchNorm, EarlyStopping, History, train
from fastmlp.stopping import Patience

QUIET = {"progress": False}


def _blobs_net(batch_norm=None):
    return MLP([5, 8, 3], batch_norm=batch_norm, dtype="float64")


# ---- learning


def test_learns_a_separable_problem(batch_norm, dtype, blobs):
    net = MLP([5, 8, 3], batch_norm=batch_norm, dtype=dtype.name)
    start = net.accuracy(*blobs)
    history = train(net, *blobs, validation=0.2, optimizer=SGD(0.1), batch_size=16, epochs=40, **QUIET)
    assert isinstance(history, History)
    assert start < 0.8
    assert net.accuracy(*blobs) > 0.97
    assert history.records[-1]["val_accuracy"] > 0.9
    assert history.records[-1]["cost"] < history.records[0]["cost"] / 2


def test_learns_what_no_linear_network_can():
    rng = np.random.default_rng(2)
    X = rng.uniform(-1, 1, (400, 2))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    accuracies = []
    for widths in ([2, 2], [2, 16, 2]):
        net = MLP(widths, seed=1)
        train(net, X, y, validation=None, optimizer=SGD(0.5), batch_size=20, epochs=60, **QUIET)
        accuracies.append(net.accuracy(X, y))
    assert accuracies[0] < 0.7
    assert accuracies[1] > 0.93


def test_training_continues_where_it_ended(blobs):
    once, twice = _blobs_net(), _blobs_net()
    rng = np.random.default_rng(5)
    train(once, *blobs, validation=None, optimizer=SGD(0.1), batch_size=50, epochs=4, seed=5, **QUIET)
    for _ in range(2):
        train(twice, *blobs, validation=None, optimizer=SGD(0.1), batch_size=50, epochs=2, seed=rng, **QUIET)
    assert digest(once) == digest(twice)


# ---- the update


def test_decay_acts_once_and_on_weights_only():
    net = MLP([3, 4, 2], batch_norm=BatchNorm(affine=True), dtype="float64", seed=3)
    for array in [*net.biases, *net.gammas, *net.betas]:
        array[:] = 1.5
    before, gradients = Network(net), Network(net).gradients
    X, y = np.random.default_rng(1).standard_normal((6, 3)), np.array([0, 1, 0, 1, 1, 0])
    without_decay = gradients(X, y, weight_decay=0.0)
    optimizer = SGD(0.5, weight_decay=0.25)
    train(net, X, y, validation=None, optimizer=optimizer, batch_size=6, epochs=1, **QUIET)
    # (1 - 0.5 · 0.25) W - 0.5 · dW; a second decay would leave 0.75 W
    for new, old, gradient in zip(net.weights, before.weights, without_decay.weights, strict=True):
        np.testing.assert_allclose(new, 0.875 * old - 0.5 * gradient, rtol=1e-10, atol=1e-12)
    for name in ("biases", "gammas", "betas"):
        olds, news = getattr(before, name), getattr(net, name)
        for new, old, gradient in zip(news, olds, getattr(without_decay, name), strict=True):
            np.testing.assert_allclose(new, old - 0.5 * gradient, rtol=1e-10, atol=1e-12)


def test_gradients_are_averaged_over_the_batch():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((6, 5)), rng.integers(0, 3, size=6)
    weights = []
    for repeats in (1, 4):
        net = _blobs_net(BatchNorm())
        arguments = {"validation": None, "optimizer": SGD(0.5), "batch_size": 24, "epochs": 1}
        train(net, np.tile(X, (repeats, 1)), np.tile(y, repeats), **arguments, **QUIET)
        weights.append(net.weights)
    for one, four in zip(*weights, strict=True):
        np.testing.assert_allclose(one, four, rtol=1e-12, atol=1e-14)


# ---- batches


@pytest.mark.parametrize(
    ("batch_size", "steps"), [(1, 23), (2, 12), (7, 4), (11, 3), (22, 2), (23, 1), (24, 1), (10**9, 1)]
)
def test_every_row_is_trained_on_once_an_epoch(batch_size, steps):
    X, y = np.random.default_rng(1).standard_normal((23, 5)), np.arange(23) % 3
    net = _blobs_net()
    # the rate changes no weight, so every cost is that of the initial network
    history = train(net, X, y, validation=None, optimizer=SGD(1e-30), batch_size=batch_size, epochs=2, **QUIET)
    assert (history.steps, len(history.batch_costs)) == (2 * steps, 2 * steps)
    for record in history.records:
        assert record["cost"] == pytest.approx(net.cost(X, y), rel=1e-12)


def test_a_batch_larger_than_the_set_is_the_set(blobs):
    digests = set()
    for batch_size in (150, 151, 10**12):
        net = _blobs_net()
        train(net, *blobs, validation=None, optimizer=SGD(0.1), batch_size=batch_size, epochs=2, **QUIET)
        digests.add(digest(net))
    assert len(digests) == 1


def test_last_partial_batch_moves_the_weights():
    # four rows of zeros, and one row that changes the weights, which is the last in the documented order
    order = np.random.default_rng(0).permutation(5)
    X, y = np.zeros((5, 1)), np.zeros(5, dtype=int)
    X[order[4]] = 1.0
    net = MLP([1, 2], dtype="float64", init=lambda rng, n_in, n_out: np.zeros((n_in, n_out)))
    train(net, X, y, validation=None, optimizer=SGD(0.5), batch_size=4, epochs=1, seed=0, **QUIET)
    # the biases after the first batch are ±0.25, so p = 1 / (1 + exp(-0.5)); the next batch has one row
    p = 1.0 / (1.0 + np.exp(-0.5))
    np.testing.assert_allclose(net.weights[0], [[0.5 * (1 - p), -0.5 * (1 - p)]], rtol=1e-12)


# ---- validation


def test_a_pair_is_validated_on_and_not_trained_on(blobs):
    X, y = blobs
    alone, watched = _blobs_net(), _blobs_net()
    arguments = {"optimizer": SGD(0.1, weight_decay=0.1), "batch_size": 16, "epochs": 3}
    train(alone, X[:100], y[:100], validation=None, **arguments, **QUIET)
    history = train(watched, X[:100], y[:100], validation=(X[100:], y[100:]), **arguments, **QUIET)
    assert digest(alone) == digest(watched)
    assert history.records[-1]["val_accuracy"] == watched.accuracy(X[100:], y[100:])
    assert history.records[-1]["val_cost"] == pytest.approx(watched.cost(X[100:], y[100:], 0.1), rel=1e-12)


@pytest.mark.parametrize(("fraction", "rows"), [(0.2, 30), (0.5, 75), (0.01, 2), (0.99, 148)])
def test_a_fraction_is_held_out(fraction, rows, blobs):
    history = train(_blobs_net(), *blobs, validation=fraction, optimizer=SGD(0.1), batch_size=1, epochs=1, **QUIET)
    assert abs(history.steps - (150 - rows)) <= 1
    # the accuracy is a count over the held-out rows
    count = history.records[0]["val_accuracy"] * (150 - history.steps)
    assert count == pytest.approx(round(count), abs=1e-9)


def test_the_fraction_is_drawn_at_random(blobs):
    X, y = blobs
    order = np.argsort(y, kind="stable")
    net = _blobs_net()
    # the rows are sorted by class: held-out rows from one end would leave a class out
    train(net, X[order], y[order], validation=0.4, optimizer=SGD(0.1), batch_size=16, epochs=40, **QUIET)
    assert net.accuracy(X, y) > 0.95


# ---- early stopping


def _still(stop, validation_rows=20, **arguments):
    """Train on inputs of zeros with a rate that changes nothing, so that the metric never changes."""
    net = MLP([2, 2], dtype="float64")
    X, y = np.zeros((50, 2)), np.arange(50) % 2
    pair = (X[:validation_rows], y[:validation_rows])
    return train(net, X, y, validation=pair, optimizer=SGD(1e-30), stop=stop, **arguments, **QUIET)


@pytest.mark.parametrize("metric", ["accuracy", "cost"])
@pytest.mark.parametrize("patience", [1, 2, 5])
def test_stops_after_its_patience(metric, patience):
    history = _still(EarlyStopping(metric=metric, patience=patience), batch_size=10, epochs=50)
    assert (history.epochs, history.best_epoch, history.stopped_because) == (1 + patience, 1, "early stopping")


@pytest.mark.parametrize(("batch_size", "epochs"), [(50, 101), (25, 51), (10, 21), (8, 16), (1, 3)])
def test_patience_in_steps(batch_size, epochs):
    # ceil(100 / steps per epoch) epochs after the first; batches of 8 rows give 7 steps, the last with 2 rows
    history = _still(EarlyStopping.report(), batch_size=batch_size, epochs=200)
    assert (history.epochs, history.stopped_because) == (epochs, "early stopping")


@pytest.mark.parametrize(("ties", "best"), [("first", 1), ("last", 5)])
def test_which_of_equally_good_epochs_is_the_best(ties, best):
    assert _still(EarlyStopping(patience=5, ties=ties), batch_size=10, epochs=5).best_epoch == best


def test_the_last_epoch_is_no_early_stop():
    history = _still(EarlyStopping(patience=5), batch_size=10, epochs=5)
    assert (history.epochs, history.stopped_because) == (5, "epochs")


@pytest.mark.parametrize("metric", ["accuracy", "cost"])
def test_stop_agrees_with_the_records(metric, blobs):
    stop = EarlyStopping(metric=metric, min_delta=0.005, patience=3)
    history = train(
        _blobs_net(), *blobs, validation=0.3, optimizer=SGD(0.3), batch_size=16, epochs=200, stop=stop, **QUIET
    )
    assert history.stopped_because == "early stopping"
    patience = Patience(stop, 3)
    exhausted = []
    for record in history.records:
        patience.is_best(record["epoch"], record)
        exhausted.append(patience.exhausted)
    assert exhausted == [False] * (history.epochs - 1) + [True]
    assert history.best_epoch == patience.best_epoch


@pytest.mark.parametrize("batch_normalised", [False, True])
def test_the_best_network_is_restored(batch_normalised, blobs):
    X, y = blobs
    batch_norm = BatchNorm(affine=True) if batch_normalised else None
    # with such a high rate the cost rises and falls
    arguments = {"validation": (X[:50], y[:50]), "optimizer": SGD(3.0), "batch_size": 10, "seed": 3}
    stop = EarlyStopping(metric="cost", min_delta=0.0, patience=6)
    net = _blobs_net(batch_norm)
    history = train(net, X[50:], y[50:], epochs=100, stop=stop, **arguments, **QUIET)
    assert history.best_epoch < history.epochs
    costs = [record["val_cost"] for record in history.records]
    assert net.cost(X[:50], y[:50]) == min(costs) == costs[history.best_epoch - 1]
    replayed = _blobs_net(batch_norm)
    train(replayed, X[50:], y[50:], epochs=history.best_epoch, **arguments, **QUIET)
    assert digest(net) == digest(replayed)


def test_the_best_network_is_restored_at_the_last_epoch(blobs):
    X, y = blobs
    stop = EarlyStopping(metric="cost", min_delta=0.0, patience=50)
    net = _blobs_net()
    pair = X[:50], y[:50]
    history = train(
        net, X[50:], y[50:], validation=pair, optimizer=SGD(3.0), batch_size=10, epochs=9, stop=stop, **QUIET
    )
    assert history.stopped_because == "epochs"
    assert history.best_epoch < 9
    assert net.cost(*pair) == min(record["val_cost"] for record in history.records)


def test_the_last_network_is_kept_without_restoring(blobs):
    X, y = blobs
    pair = X[:50], y[:50]
    arguments = {"validation": pair, "optimizer": SGD(3.0), "batch_size": 10}
    net, plain = _blobs_net(), _blobs_net()
    stop = EarlyStopping(metric="cost", min_delta=0.0, patience=3, restore_best=False)
    history = train(net, X[50:], y[50:], epochs=100, stop=stop, **arguments, **QUIET)
    assert history.best_epoch < history.epochs
    train(plain, X[50:], y[50:], epochs=history.epochs, **arguments, **QUIET)
    assert digest(net) == digest(plain)


# ---- progress bar, special data, threads, warnings


@pytest.mark.parametrize(("progress", "shown"), [(True, True), (False, False), (None, False)])
def test_progress_bar(progress, shown, blobs, capsys):
    train(_blobs_net(), *blobs, validation=0.2, optimizer=SGD(0.1), batch_size=16, epochs=2, progress=progress)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert bool(captured.err) is shown


def test_single_class():
    net = MLP([3, 4, 1])
    X, y = np.ones((10, 3)), np.zeros(10, dtype=int)
    history = train(net, X, y, validation=0.2, optimizer=SGD(0.1), batch_size=4, epochs=2, **QUIET)
    assert [record["cost"] for record in history.records] == [0.0, 0.0]
    assert history.records[0]["val_accuracy"] == 1.0


def test_labels_of_one_class_of_several():
    net = MLP([3, 4, 3], dtype="float64")
    X, y = np.random.default_rng(0).standard_normal((30, 3)), np.full(30, 2)
    train(net, X, y, validation=None, optimizer=SGD(0.5), batch_size=4, epochs=20, **QUIET)
    assert net.accuracy(X, y) == 1.0


def test_one_row():
    net = MLP([3, 4, 2], batch_norm=BatchNorm())
    history = train(net, np.ones((1, 3)), [1], validation=None, optimizer=SGD(0.1), batch_size=5, epochs=3, **QUIET)
    assert history.steps == 3
    assert net.is_finite()


def test_from_another_thread(blobs):
    expected, net, errors = _blobs_net(), _blobs_net(), []
    arguments = {"validation": 0.2, "optimizer": SGD(0.1), "batch_size": 16, "epochs": 2}
    train(expected, *blobs, **arguments, **QUIET)

    def work():
        try:
            train(net, *blobs, **arguments, **QUIET)
        except Exception as error:  # noqa: BLE001 - reported by the assertion below
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert errors == []
    assert digest(net) == digest(expected)


def test_no_warning_on_ordinary_data(batch_norm, blobs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(_blobs_net(batch_norm), *blobs, validation=0.2, optimizer=SGD(0.1), batch_size=16, epochs=2, **QUIET)
