"""Trainings that end early, by a cost that is not finite or by Ctrl-C: the network is that of a whole step."""

import _thread
import signal
import threading

import numpy as np
import pytest
from networks import all_arrays, digest

from fastmlp import MLP, SGD, BatchNorm, EarlyStopping, engine, train
from fastmlp.system.progress import progress_bar

QUIET = {"progress": False}


def _blobs_net(batch_norm=None):
    return MLP([5, 8, 3], batch_norm=batch_norm, dtype="float64")


def _diverge(batch_norm=None, **arguments):
    net = MLP([5, 8, 3], batch_norm=batch_norm)
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((60, 5)), rng.integers(0, 3, size=60)
    settings = {"validation": 0.2, "batch_size": 8, "epochs": 50} | arguments
    with pytest.warns(RuntimeWarning, match="NaN or infinite") as caught:
        history = train(net, X, y, **settings, **QUIET)
    # exactly one warning, which points to the caller
    assert [warning.filename for warning in caught] == [__file__]
    return net, history


@pytest.mark.parametrize("optimizer", [SGD(1e30), SGD(1e6, weight_decay=1.0)], ids=repr)
def test_a_cost_that_is_not_finite(batch_norm, optimizer):
    net, history = _diverge(batch_norm, optimizer=optimizer)
    assert history.stopped_because == "cost not finite"
    assert history.epochs < 50
    assert all(np.isfinite(array).all() for array in all_arrays(net))
    assert len(history.batch_costs) == history.steps
    assert np.isfinite(history.batch_costs).all()
    assert all(np.isfinite(record["cost"]) for record in history.records)


def test_divergence_goes_back_to_the_last_finite_epoch():
    optimizer = SGD(1.0, weight_decay=1000.0)  # a step multiplies weights by -999: finite for some epochs
    net, history = _diverge(optimizer=optimizer, validation=None, batch_size=60)
    assert history.epochs > 3
    replayed = MLP([5, 8, 3])
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((60, 5)), rng.integers(0, 3, size=60)
    train(replayed, X, y, validation=None, optimizer=optimizer, batch_size=60, epochs=history.epochs, **QUIET)
    assert digest(net) == digest(replayed)


def test_divergence_in_the_first_epoch_leaves_the_start():
    net, history = _diverge(optimizer=SGD(1e30))
    assert (history.epochs, history.records, len(history.batch_costs)) == (0, [], 0)
    assert digest(net) == digest(MLP([5, 8, 3]))


def test_a_penalty_that_is_not_finite_ends_a_training_too():
    """Found by fuzzing: NumPy warned of an overflow, and the training went on with an infinite cost."""
    net = MLP([5, 8, 3], dtype="float64")
    net.weights[0][...] = 1e200
    before, (X, y) = digest(net), (np.zeros((20, 5)), np.arange(20) % 3)
    with pytest.warns(RuntimeWarning, match="NaN or infinite"):
        history = train(net, X, y, optimizer=SGD(0.01, weight_decay=0.1), **QUIET)
    assert (history.stopped_because, history.records, digest(net)) == ("cost not finite", [], before)
    assert net.cost(X, y, weight_decay=0.1) == np.inf


def test_divergence_restores_the_best():
    stop = EarlyStopping(metric="cost", min_delta=0.0, patience=50)
    net, history = _diverge(optimizer=SGD(1.0, weight_decay=1000.0), batch_size=60, stop=stop)
    assert history.best_epoch is not None
    assert net.is_finite()


def _interrupt_in(seconds):
    """Send Ctrl-C after some seconds, from another thread, when `train` has already checked its arguments."""
    timer = threading.Timer(seconds, _thread.interrupt_main)
    timer.start()
    return timer


@pytest.fixture
def endless(blobs):
    """Return a function that trains until Ctrl-C, with one step in each epoch. The kernels are compiled before."""

    def run(seconds, epochs=10**9):
        net = _blobs_net(BatchNorm(placement="before_relu", affine=True))
        settings = {"validation": (blobs[0][:20], blobs[1][:20]), "optimizer": SGD(0.05), "batch_size": 150}
        if seconds is None:
            return net, train(net, *blobs, epochs=epochs, **settings, **QUIET)
        timer = _interrupt_in(seconds)
        history = train(net, *blobs, epochs=epochs, **settings, **QUIET)
        timer.join()
        return net, history

    run(None, epochs=1)
    return run


def test_ctrl_c_returns_what_there_is(endless, blobs):
    net, history = endless(0.3)
    assert history.stopped_because == "interrupted"
    assert history.epochs == history.steps == len(history.batch_costs) > 0
    assert history.seconds < 30
    assert net.is_finite()
    assert np.isfinite(net.cost(*blobs))
    more = train(net, *blobs, validation=0.2, optimizer=SGD(0.05), batch_size=16, epochs=1, **QUIET)
    assert more.stopped_because == "epochs"


def test_ctrl_c_never_leaves_half_a_step(endless):
    for attempt in range(12):
        net, history = endless(0.1 + 0.003 * attempt)
        assert history.stopped_because == "interrupted"
        assert len(history.batch_costs) == history.steps == len(history.records)
        # the last step is either complete or not begun
        whole = {digest(endless(None, epochs=n)[0]) for n in (max(1, history.epochs), history.epochs + 1)}
        assert digest(net) in whole


def _press_ctrl_c(monkeypatch, place, call):
    """Send Ctrl-C at the beginning of a chosen call of a function that `train` uses."""
    owner = engine.Trainer if place == "run_epoch" else engine.Evaluation
    original, calls = getattr(owner, place), []

    def interrupted(*arguments, **keywords):
        calls.append(place)
        if len(calls) == call:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments, **keywords)

    monkeypatch.setattr(owner, place, interrupted)


@pytest.mark.parametrize("place", ["run_epoch", "begin", "__call__"])  # of a training, of an evaluation
def test_ctrl_c_at_a_chosen_moment(place, blobs, monkeypatch):
    _press_ctrl_c(monkeypatch, place, call=3)
    net = _blobs_net()
    history = train(net, *blobs, validation=0.2, optimizer=SGD(0.1), batch_size=16, epochs=9, **QUIET)
    assert history.stopped_because == "interrupted"
    assert history.epochs in (2, 3)
    assert len(history.batch_costs) == history.steps == 8 * history.epochs
    assert net.is_finite()


def test_ctrl_c_restores_the_best(blobs, monkeypatch):
    _press_ctrl_c(monkeypatch, "run_epoch", call=8)
    pair = blobs[0][:50], blobs[1][:50]
    stop = EarlyStopping(metric="cost", min_delta=0.0, patience=100)
    net = _blobs_net()
    arguments = {"validation": pair, "optimizer": SGD(3.0), "batch_size": 10, "epochs": 99, "stop": stop}
    history = train(net, blobs[0][50:], blobs[1][50:], **arguments, **QUIET)
    assert history.stopped_because == "interrupted"
    costs = [record["val_cost"] for record in history.records]
    assert history.best_epoch == 1 + int(np.argmin(costs)) < history.epochs
    assert net.cost(*pair, threads=1) == min(costs)


def test_ctrl_c_after_the_last_look_keeps_the_history(blobs, monkeypatch):
    leave = progress_bar.__exit__

    def press_and_leave(*arguments):
        signal.raise_signal(signal.SIGINT)
        return leave(*arguments)

    monkeypatch.setattr(progress_bar, "__exit__", press_and_leave)
    before = signal.getsignal(signal.SIGINT)
    history = train(_blobs_net(), *blobs, batch_size=16, epochs=2, **QUIET)
    assert (history.epochs, history.stopped_because) == (2, "interrupted")
    assert signal.getsignal(signal.SIGINT) is before


def test_the_signal_handler_is_as_before(endless):
    before = signal.getsignal(signal.SIGINT)
    endless(0.1)
    assert signal.getsignal(signal.SIGINT) is before
