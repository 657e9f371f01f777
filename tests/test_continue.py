"""Continued training: it goes on with the optimizer's state, which belongs to the network's parameters at the end."""

import numpy as np
import pytest
from networks import digest, perturb

from fastmlp import MLP, SGD, Adam, AdamW, BatchNorm, EarlyStopping, train
from fastmlp.engine import Trainer
from fastmlp.optimizers import State

QUIET = {"progress": False}
OPTIMIZERS = [
    SGD(0.05),
    SGD(0.05, 0.01, momentum=0.9, nesterov=True),
    SGD(0.05, clip_norm=0.1),
    Adam(0.01, 0.01),
    AdamW(0.01, clip_norm=0.5),
]


@pytest.fixture
def net(batch_norm):
    """A function that always makes the same network, with two hidden layers; no width is a multiple of a vector."""
    return lambda: perturb(MLP([5, 17, 7, 3], batch_norm=batch_norm, activation="tanh", seed=2))


def _same(state, other):
    same = [a.tobytes() == b.tobytes() for a, b in zip(state.moments, other.moments, strict=True)]
    return state.steps == other.steps and all(same)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_two_halves_are_the_whole(optimizer, net, blobs):
    _check_halves(optimizer, net, blobs)


def test_two_halves_with_dropout_are_the_whole(blobs):
    _check_halves(Adam(0.01), lambda: MLP([5, 17, 3], dropout=0.4, seed=2), blobs)


def _check_halves(optimizer, net, blobs):
    settings = {"validation": None, "optimizer": optimizer, "batch_size": 32, **QUIET}
    once, twice = net(), net()
    whole = train(once, *blobs, epochs=10, seed=5, **settings)
    rng, state, costs = np.random.default_rng(5), None, []
    for _ in range(2):
        history = train(twice, *blobs, epochs=5, seed=rng, state=state, **settings)
        state = history.state
        costs.append(history.batch_costs)
    assert digest(once) == digest(twice)
    assert np.concatenate(costs).tobytes() == whole.batch_costs.tobytes()
    assert _same(state, whole.state)
    assert state.steps == 50
    assert [moment.shape for moment in state.moments] == len(state.moments) * [once.snapshot().shape]


@pytest.mark.parametrize("optimizer", [SGD(0.05, momentum=0.9), Adam(0.01)], ids=repr)
def test_without_its_state_training_begins_anew(optimizer, blobs):
    digests = set()
    for keep in (True, False):
        net, rng, state = MLP([5, 8, 3]), np.random.default_rng(5), None
        for _ in range(2):
            history = train(net, *blobs, validation=None, optimizer=optimizer, epochs=2, seed=rng, state=state, **QUIET)
            state = history.state if keep else None
        digests.add(digest(net))
    assert len(digests) == 2


def test_moments_lie_as_the_parameters_do(blobs):
    # after one step from 0, the velocity is the change of the parameters; running statistics have no velocity
    net = MLP([5, 17, 3], batch_norm=BatchNorm(affine=True), dtype="float64")
    before = net.snapshot()
    optimizer = SGD(0.1, momentum=0.9)
    state = train(net, *blobs, validation=None, optimizer=optimizer, batch_size=150, epochs=1, **QUIET).state
    moved, velocity = (net.views_of(flat) for flat in (net.snapshot() - before, state.moments[0]))
    for name in ("weights", "biases", "gammas", "betas"):
        for change, speed in zip(moved[name], velocity[name], strict=True):
            np.testing.assert_allclose(speed, change, rtol=1e-9, atol=1e-14)
            assert speed.any()
    assert not any(array.any() for name in ("running_means", "running_vars") for array in velocity[name])


def test_a_state_is_a_copy(blobs):
    net = MLP([5, 8, 3])
    first = train(net, *blobs, optimizer=Adam(), epochs=1, **QUIET).state
    kept = State(first.steps, [moment.copy() for moment in first.moments])
    train(net, *blobs, optimizer=Adam(), epochs=2, state=first, **QUIET)
    assert _same(first, kept)


def test_the_state_is_that_of_the_restored_epoch(blobs):
    X, y = blobs
    scores = iter([0.1, 0.5, 0.3, 0.2])

    def metric(net, X_val, y_val):
        return next(scores)

    settings = {"validation": (X, y), "optimizer": Adam(0.01), "batch_size": 32, "seed": 5, **QUIET}
    stopped, best = MLP([5, 8, 3]), MLP([5, 8, 3])
    history = train(stopped, X, y, epochs=9, stop=EarlyStopping(metric, patience=2), **settings)
    expected = train(best, X, y, epochs=2, **settings)
    assert (history.stopped_because, history.epochs, history.best_epoch) == ("early stopping", 4, 2)
    assert [record["val_score"] for record in history.records] == [0.1, 0.5, 0.3, 0.2]
    assert digest(stopped) == digest(best)
    assert _same(history.state, expected.state)


def test_the_state_is_that_of_the_last_epoch_where_nothing_is_restored(blobs):
    X, y = blobs
    scores = iter([0.5, 0.3])
    rule = EarlyStopping(lambda net, X_val, y_val: next(scores), patience=1, restore_best=False)
    settings = {"validation": (X, y), "optimizer": Adam(0.01), "batch_size": 32, "seed": 5, **QUIET}
    stopped, plain = MLP([5, 8, 3]), MLP([5, 8, 3])
    history = train(stopped, X, y, epochs=9, stop=rule, **settings)
    expected = train(plain, X, y, epochs=2, **settings)
    assert (history.best_epoch, history.epochs) == (1, 2)
    assert digest(stopped) == digest(plain)
    assert _same(history.state, expected.state)


def test_the_state_is_that_of_the_last_finite_epoch(blobs):
    X, y = blobs
    net = MLP([5, 8, 3])
    settings = {"validation": None, "batch_size": 32, **QUIET}
    first = train(net, X, y, optimizer=SGD(0.01, momentum=0.9), epochs=1, **settings).state
    before = net.snapshot()
    with pytest.warns(RuntimeWarning, match="NaN or infinite in epoch 1"):
        history = train(net, X, y, optimizer=SGD(1e30, momentum=0.9), epochs=3, state=first, **settings)
    assert net.snapshot().tobytes() == before.tobytes()
    assert _same(history.state, first)


def test_other_rules_have_other_states(blobs):
    X, y = blobs
    net = MLP([5, 8, 3])
    counts = {0: SGD(0.1), 1: SGD(0.1, momentum=0.9), 2: Adam()}
    states = {}
    for count, optimizer in counts.items():
        trainer = Trainer(MLP([5, 8, 3]).network, np.ascontiguousarray(X), y, 32, optimizer, 1)
        trainer.run_epoch(np.arange(64))
        states[count] = trainer.export_state()
        assert len(states[count].moments) == count
    before = net.snapshot()
    for count, optimizer in counts.items():
        for other, state in states.items():
            if count != other:
                with pytest.raises(ValueError, match=f"state must hold {count} moments of shape"):
                    train(net, X, y, optimizer=optimizer, state=state, epochs=1, **QUIET)
    assert net.snapshot().tobytes() == before.tobytes()


def test_a_state_of_another_network_is_refused(blobs):
    state = train(MLP([5, 9, 3]), *blobs, optimizer=Adam(), epochs=1, **QUIET).state
    net = MLP([5, 8, 3])
    before = net.snapshot()
    with pytest.raises(ValueError, match="state must hold 2 moments of shape"):
        train(net, *blobs, optimizer=Adam(), epochs=1, state=state, **QUIET)
    assert net.snapshot().tobytes() == before.tobytes()
