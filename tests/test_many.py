"""Many networks at once: the bits of each alone, on one copy of the data, and one error for all."""

import os
import signal

import numpy as np
import pytest
import resumable
from networks import digest
from pages import program
from refusals import refused

from fastmlp import MLP, SGD, Adam, AdamW, BatchNorm, EarlyStopping, datasets, engine, train, train_many

X, Y = resumable._rows()
QUIET = {"progress": False}
NETS = [
    lambda: MLP([5, 8, 3], seed=1),
    lambda: MLP([5, 70, 33, 3], batch_norm=BatchNorm(affine=True), seed=2),
    lambda: MLP([5, 16, 3], dtype="float64", activation="tanh", seed=3),
    lambda: MLP([5, 9, 9, 9, 3], dropout=0.3, seed=4),
    lambda: MLP([5, 3]),
]
OPTIMIZERS = [SGD(0.1), Adam(0.01), SGD(0.05, momentum=0.9), AdamW(0.01, clip_norm=0.5), SGD(0.2, 0.01)]
SETTINGS = {"batch_size": 16, "epochs": 4, **QUIET}


def made():
    return [make() for make in NETS]


@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize("stop", [None, EarlyStopping("cost", 0.5, patience=1)])
def test_each_has_the_bits_of_a_training_alone(threads, stop):
    nets, alone = made(), made()
    histories = train_many(
        nets, X, Y, seeds=range(5), optimizers=OPTIMIZERS, stop=stop, class_weight="balanced", threads=threads,
        sample_weight=np.linspace(0.5, 1, len(X)), **SETTINGS,
    )  # fmt: skip
    for seed, (net, one, optimizer, history) in enumerate(zip(nets, alone, OPTIMIZERS, histories, strict=True)):
        expected = train(
            one, X, Y, seed=seed, optimizer=optimizer, stop=stop, class_weight="balanced",
            sample_weight=np.linspace(0.5, 1, len(X)), threads=1, **SETTINGS,
        )  # fmt: skip
        assert digest(net) == digest(one)
        assert resumable.course(history) == resumable.course(expected)


def test_one_seed_and_one_optimizer_are_those_of_all():
    nets, alone = made(), made()
    train_many(nets, X, Y, seeds=7, optimizers=Adam(0.02), matmul_precision="float32", **SETTINGS)
    for net, one in zip(nets, alone, strict=True):
        train(one, X, Y, seed=7, optimizer=Adam(0.02), threads=1, **SETTINGS)
        assert digest(net) == digest(one)


@pytest.mark.parametrize("validation", [0.2, None, (X[:30], Y[:30])])
def test_rows_of_each_network(validation):
    """Cross-validation on one copy of the data: the bits of a training on those rows alone."""
    folds = [np.flatnonzero(np.arange(len(X)) % 5 != fold) for fold in range(4)]
    rows = [*folds, None]
    nets, alone = made(), made()
    common = {"validation": validation, "class_weight": "balanced", **SETTINGS}
    train_many(nets, X, Y, rows=rows, optimizers=Adam(0.01), **common)
    for net, one, part in zip(nets, alone, rows, strict=True):
        x, y = (X, Y) if part is None else (X[part], Y[part])
        train(one, x, y, optimizer=Adam(0.01), threads=1, **common)
        assert digest(net) == digest(one)


def test_the_data_are_there_once(monkeypatch):
    taken, make = [], engine.Trainer

    def note(network, x, *arguments, **options):
        taken.append(x)
        return make(network, x, *arguments, **options)

    monkeypatch.setattr(engine, "Trainer", note)
    x = X.astype("f4")
    train_many([MLP([5, 4, 3], seed=seed) for seed in range(6)], x, Y, rows=[*5 * [np.arange(99)], None], **SETTINGS)
    assert all(np.shares_memory(found, x) for found in taken)


def test_states_go_on():
    nets, alone = made(), made()
    for many in (True, False):
        for net in nets if many else alone:
            train(net, X, Y, optimizer=Adam(0.01), threads=1, **SETTINGS)
    states = [train(net, X, Y, optimizer=Adam(0.01), threads=1, **SETTINGS).state for net in (*nets, *alone)]
    train_many(nets, X, Y, states=states[:5], optimizers=Adam(0.01), **SETTINGS)
    for net, state, other in zip(alone, states[5:], nets, strict=True):
        train(net, X, Y, state=state, optimizer=Adam(0.01), threads=1, **SETTINGS)
        assert digest(net) == digest(other)


def test_callbacks_see_their_own_network_and_end_it_alone():
    nets, seen = made(), []

    def callback(net, record):
        seen.append((nets.index(net), record["epoch"]))
        return net is nets[2] and record["epoch"] == 2

    histories = train_many(nets, X, Y, callbacks=[callback], **SETTINGS)
    assert [history.epochs for history in histories] == [4, 4, 2, 4, 4]
    assert histories[2].stopped_because == "callback"
    assert sorted(seen) == [(i, epoch) for i in range(5) for epoch in range(1, 3 if i == 2 else 5)]


def test_what_a_callback_raises_ends_all():
    def callback(net, record):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        train_many(made(), X, Y, callbacks=[callback], **SETTINGS)
    nets = made()  # nothing of it is left behind
    assert all(history.epochs == 4 for history in train_many(nets, X, Y, **SETTINGS))


def test_a_cost_that_is_not_finite_ends_one_network():
    nets = made()
    optimizers = [SGD(0.1), SGD(1e30), *3 * [SGD(0.1)]]
    with pytest.warns(RuntimeWarning, match=r"^nets\[1\]: the cost became NaN or infinite in epoch") as caught:
        histories = train_many(nets, X, Y, optimizers=optimizers, **SETTINGS)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    expected = ["epochs", "cost not finite", *3 * ["epochs"]]
    assert [history.stopped_because for history in histories] == expected
    assert nets[1].is_finite()


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a process alone")
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_all(threads):
    """Also those whose turn never came; the networks stay usable, and the next training is not disturbed."""

    def press(net, record):
        if record["epoch"] == 2:
            os.kill(os.getpid(), signal.SIGINT)

    nets = made()
    histories = train_many(nets, X, Y, callbacks=[press], threads=threads, **SETTINGS | {"epochs": 200_000})
    assert [history.stopped_because for history in histories] == 5 * ["interrupted"]
    assert any(history.epochs >= 2 for history in histories)
    assert any(history.epochs == 0 for history in histories)
    assert all(net.is_finite() for net in nets)
    assert all(history.epochs == 4 for history in train_many(nets, X, Y, **SETTINGS))


BAD = [
    ({"nets": []}, ValueError, ["at least one MLP"]),
    ({"nets": MLP([5, 3])}, TypeError, ["sequence of MLP"]),
    ({"nets": [MLP([5, 3]), "net"]}, TypeError, ["nets[1]", "MLP"]),
    ({"nets": 2 * [MLP([5, 3])]}, ValueError, ["nets[0]", "nets[1]", "different"]),
    ({"nets": [MLP([5, 3]), MLP([4, 3])]}, ValueError, ["nets[1]", "4"]),
    ({"seeds": [1]}, ValueError, ["seeds", "2 networks", "got 1"]),
    ({"seeds": [1, -1]}, ValueError, ["nets[1]", "seed"]),
    ({"seeds": np.random.default_rng(0)}, ValueError, ["one Generator for several"]),
    ({"optimizers": [SGD(0.1)]}, ValueError, ["optimizers", "2 networks"]),
    ({"optimizers": [SGD(0.1), "sgd"]}, TypeError, ["nets[1]", "optimizer"]),
    ({"rows": [None]}, ValueError, ["rows", "2 networks"]),
    ({"rows": [None, [0, 150]]}, ValueError, ["rows[1]", "0 … 149", "150"]),
    ({"rows": [None, np.ones(150, bool)]}, TypeError, ["rows[1]", "flatnonzero"]),
    ({"rows": [None, []]}, (ValueError, TypeError), ["rows[1]"]),
    ({"y": np.full(150, 3)}, ValueError, ["nets[0]", "y"]),
    ({"X": X[:, 0]}, ValueError, ["X", "2-D"]),
    ({"epochs": 0}, ValueError, ["epochs"]),
    ({"callbacks": [3]}, TypeError, ["callbacks"]),
    ({"stop": EarlyStopping(), "validation": None}, ValueError, ["nets[0]", "stop"]),
    ({"states": [None, train(MLP([5, 4, 3]), X, Y, optimizer=Adam(), epochs=1, **QUIET).state]}, ValueError,
     ["nets[1]", "state"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "error", "words"), BAD, ids=lambda value: "-".join(value)[:40] if isinstance(value, dict) else ""
)
def test_bad_input_is_refused_before_any_network_changes(changed, error, words):
    nets = [MLP([5, 8, 3], seed=1), MLP([5, 9, 3], seed=2)]
    before = [digest(net) for net in nets]
    arguments = {"nets": nets, "X": X, "y": Y, **QUIET} | changed
    refused(lambda: train_many(**arguments), error, words)
    assert [digest(net) for net in nets] == before


def test_generators_draw_once():
    nets, alone = made()[:2], made()[:2]
    train_many(nets, X, Y, seeds=np.random.default_rng(3).spawn(2), **SETTINGS)
    for one, rng in zip(alone, np.random.default_rng(3).spawn(2), strict=True):
        train(one, X, Y, seed=rng, threads=1, **SETTINGS)
    assert [digest(net) for net in nets] == [digest(one) for one in alone]


def test_sparse_data_and_bytes():
    from scipy import sparse

    x = np.random.default_rng(0).integers(0, 9, (150, 5)).astype("u1")
    for data in (x, sparse.csr_matrix(x)):
        nets, alone = made(), made()
        train_many(nets, data, Y, optimizers=Adam(0.01), **SETTINGS)
        for net, one in zip(nets, alone, strict=True):
            train(one, data, Y, optimizer=Adam(0.01), threads=1, **SETTINGS)
            assert digest(net) == digest(one)


def test_a_stream_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    stream = datasets.stream(tmp_path / "x.npy", target=tmp_path / "y.npy")
    refused(lambda: train_many([MLP([5, 3])], stream, None), (ValueError, TypeError), ["Stream"])


def test_the_example_of_the_guide(capsys):
    exec(program("run: many"), {})
    assert float(capsys.readouterr().out.split()[1]) > 0.9
