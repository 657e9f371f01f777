"""A training that goes on from a file: the bits of one that never stopped, or a refusal that says what differs."""

import errno
import json
import warnings

import numpy as np
import pytest
import resumable
from failing_steps import failing
from networks import digest
from pages import program
from resumable import EPOCHS, RUNS, PowerCutError, begin, course, cut_after
from safetensors import safe_open

from fastmlp import MLP, SGD, Adam, EarlyStopping, schedules, train
from fastmlp.checkpoints import FORMAT
from fastmlp.system import files


def facts(path):
    """What a checkpoint says beside its arrays."""
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()[FORMAT])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.safetensors"


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("threads", [1, 3])
def test_the_bits_of_a_run_that_never_stopped(name, threads, path):
    whole, run = begin(name)
    expected = course(run(threads=1))
    for epoch in range(1, len(expected[0]) + 1):
        net, run = begin(name)
        with pytest.raises(PowerCutError):
            run(checkpoint=path, callbacks=[cut_after(epoch)], threads=threads)
    net, run = begin(name)
    assert course(run(checkpoint=path, threads=threads)) == expected
    assert digest(net) == digest(whole)
    assert facts(path)["stopped_because"] == expected[3][0]


def test_some_runs_above_end_early_and_by_an_earlier_epoch():
    """Else the stopping rule and the best weights were not tested."""
    histories = {name: begin(name)[1]() for name in RUNS}
    early = histories["adam, dropout, batch norm, early stopping"]
    best = histories["the best epoch is not the last"]
    assert (early.stopped_because, best.stopped_because) == ("early stopping", "epochs")
    assert early.epochs < EPOCHS
    assert best.best_epoch < best.epochs


def test_a_training_that_ended_is_given_at_once(path):
    net, run = begin("sgd")
    history = run(checkpoint=path)
    again, run = begin("sgd")
    called = []
    assert course(run(checkpoint=path, callbacks=[lambda net, record: called.append(record)])) == course(history)
    assert called == []
    assert digest(again) == digest(net)


def test_more_epochs_go_on(path):
    whole, run = begin("sgd")
    expected = course(run(epochs=9))
    begin("sgd")[1](checkpoint=path)
    net, run = begin("sgd")
    assert course(run(checkpoint=path, epochs=9)) == expected
    assert digest(net) == digest(whole)


def test_more_epochs_are_refused_where_the_rates_depend_on_them(path):
    name = "nesterov and a schedule"
    begin(name)[1](checkpoint=path)
    with pytest.raises(ValueError, match=r"epochs=6, got 9; the learning rates depend on it"):
        begin(name)[1](checkpoint=path, epochs=9)


def test_fewer_epochs_than_are_done_are_refused(path):
    begin("sgd")[1](checkpoint=path)
    with pytest.raises(ValueError, match=r"epochs=6, got 4; 6 are done"):
        begin("sgd")[1](checkpoint=path, epochs=4)


def test_ctrl_c_keeps_the_last_whole_epoch(path):
    whole, run = begin("sgd")
    expected = course(run())

    def press(net, record):
        if record["epoch"] == 3:
            raise KeyboardInterrupt

    history = begin("sgd")[1](checkpoint=path, checkpoint_epochs=100, callbacks=[press])
    assert history.stopped_because == "interrupted"
    assert (len(facts(path)["records"]), facts(path)["stopped_because"]) == (3, None)
    net, run = begin("sgd")
    assert course(run(checkpoint=path)) == expected
    assert digest(net) == digest(whole)


def test_epochs_from_one_writing_to_the_next(path):
    seen = []

    def look(net, record):
        seen.append(len(facts(path)["records"]) if path.exists() else 0)

    begin("sgd")[1](checkpoint=path, checkpoint_epochs=2, callbacks=[look])
    assert seen == [0, 0, 2, 2, 4, 4]
    assert len(facts(path)["records"]) == EPOCHS


def test_seconds_from_one_writing_to_the_next(path, monkeypatch):
    now = iter(np.arange(0, 1000, 2.0))
    monkeypatch.setattr("fastmlp.checkpoints.time.monotonic", lambda: next(now))
    seen = []

    def look(net, record):
        seen.append(len(facts(path)["records"]) if path.exists() else 0)

    begin("sgd")[1](checkpoint=path, checkpoint_seconds=5, callbacks=[look])
    assert 0 in seen[1:]
    assert max(seen) > 1
    assert len(set(seen)) < EPOCHS


def test_a_generator_as_seed(path):
    whole, run = begin("sgd")
    expected = course(run(seed=np.random.Generator(np.random.MT19937(4))))
    with pytest.raises(PowerCutError):
        begin("sgd")[1](seed=np.random.Generator(np.random.MT19937(4)), checkpoint=path, callbacks=[cut_after(3)])
    net, run = begin("sgd")
    assert course(run(seed=np.random.Generator(np.random.MT19937(4)), checkpoint=path)) == expected
    assert digest(net) == digest(whole)
    with pytest.raises(ValueError, match="seed is"):
        begin("sgd")[1](seed=np.random.Generator(np.random.MT19937(5)), checkpoint=path)


def test_a_cost_that_is_not_finite_ends_it(path):
    for _ in range(2):
        net, run = begin("sgd")
        with pytest.warns(RuntimeWarning, match="the cost became NaN or infinite in epoch"):
            history = run(checkpoint=path, optimizer=SGD(1e30), batch_size=150)
        assert history.stopped_because == "cost not finite"
        assert net.is_finite()


X, Y = resumable._rows()
OTHERS = {
    "network.widths": lambda: (MLP([5, 16, 7, 3], seed=2), X, Y, {}),
    "network.activation": lambda: (MLP([5, 17, 7, 3], activation="tanh"), X, Y, {}),
    "network.dtype": lambda: (MLP([5, 17, 7, 3], dtype="float64"), X, Y, {}),
    "data.X.rows": lambda: (begin("sgd")[0], X + 1, Y, {}),
    "data.X.shape": lambda: (begin("sgd")[0], X[:-1], Y[:-1], {}),
    "data.y.rows": lambda: (begin("sgd")[0], X, (Y + 1) % 3, {}),
    "data.sample_weight": lambda: (begin("sgd")[0], X, Y, {"sample_weight": np.ones(150)}),
    "validation": lambda: (begin("sgd")[0], X, Y, {"validation": None}),
    "optimizer.learning_rate": lambda: (begin("sgd")[0], X, Y, {"optimizer": SGD(0.06, 0.01)}),
    "optimizer.type": lambda: (begin("sgd")[0], X, Y, {"optimizer": Adam(0.05, 0.01)}),
    "stop": lambda: (begin("sgd")[0], X, Y, {"stop": EarlyStopping()}),
    "batch_size": lambda: (begin("sgd")[0], X, Y, {"batch_size": 33}),
    "matmul_precision": lambda: (begin("sgd")[0], X, Y, {"matmul_precision": "bfloat16"}),
    "seed": lambda: (begin("sgd")[0], X, Y, {"seed": 1}),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_training_is_refused(what, path):
    with pytest.raises(PowerCutError):
        begin("sgd")[1](checkpoint=path, callbacks=[cut_after(3)])
    kept = path.read_bytes()
    net, x, y, more = OTHERS[what]()
    before = digest(net)
    settings = {"optimizer": SGD(0.05, 0.01), "batch_size": 32, "epochs": EPOCHS, "progress": False, **more}
    with pytest.raises(ValueError, match=rf"belongs to another training: .*{what}") as raised:
        train(net, x, y, checkpoint=path, **settings)
    assert "remove that one" in str(raised.value)
    assert digest(net) == before
    assert path.read_bytes() == kept


def test_the_wrong_kinds_of_file(tmp_path):
    model = tmp_path / "model.safetensors"
    begin("sgd")[0].save(model)
    text = tmp_path / "text"
    text.write_text("no checkpoint")
    for path, words in ((model, "is no checkpoint of a training"), (text, "is not a complete checkpoint")):
        net, run = begin("sgd")
        before, kept = digest(net), path.read_bytes()
        with pytest.raises(ValueError, match=words):
            run(checkpoint=path)
        assert digest(net) == before
        assert path.read_bytes() == kept


def test_where_no_file_can_be(tmp_path):
    net, run = begin("sgd")
    before = digest(net)
    for path, error, words in (
        (tmp_path, IsADirectoryError, "got the folder"),
        (tmp_path / "absent" / "run", FileNotFoundError, "does not exist"),
        (3, TypeError, "must be the path of a file, got 3"),
    ):
        with pytest.raises(error, match=words):
            run(checkpoint=path)
    for settings in ({"checkpoint_epochs": 0}, {"checkpoint_seconds": -1.0}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            run(checkpoint=tmp_path / "run", **settings)
    assert digest(net) == before


def test_a_full_disk_stops_no_training(path, monkeypatch):
    """The earlier checkpoint stays, one warning says so, and later ones are written where there is room again."""
    whole, run = begin("sgd")
    expected = course(run())
    writes, write = [], files.Path.write_bytes

    def full(self, content):
        writes.append(len(content))
        if len(writes) in (3, 4):
            write(self, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, content)

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    seen = []
    net, run = begin("sgd")
    with pytest.warns(RuntimeWarning, match="cannot be written.*No space left") as caught:
        history = run(
            checkpoint=path,
            callbacks=[lambda net, record: seen.append(facts(path)["records"][-1]["epoch"] if path.exists() else 0)],
        )
    assert len(caught) == 1
    assert seen == [0, 1, 2, 2, 2, 5]
    assert course(history) == expected
    assert digest(net) == digest(whole)
    assert list(path.parent.iterdir()) == [path]


def test_each_step_of_every_writing_fails_once(path, monkeypatch):
    """The training goes on; a process that ends there is gone on from."""
    whole, run = begin("sgd")
    expected = course(run())
    number = 0
    while True:
        number += 1
        net, run = begin("sgd")
        with failing(number, monkeypatch) as calls, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with pytest.raises(PowerCutError):
                run(checkpoint=path, callbacks=[cut_after(4)])
        assert len(caught) == (number <= len(calls))
        net, run = begin("sgd")
        assert course(run(checkpoint=path)) == expected
        assert digest(net) == digest(whole)
        path.unlink()
        if number > len(calls):
            break
    assert number > 3 * 6  # steps of the writings behind three epochs


def test_a_schedule_of_the_users_own(path):
    class Halves(schedules.Schedule):
        def __init__(self, rate):
            self.rate = rate

        def rates(self, steps, steps_per_epoch, epochs):
            return np.full(len(steps), self.rate) / 2 ** (steps // steps_per_epoch)

    with pytest.raises(PowerCutError):
        begin("sgd")[1](optimizer=SGD(Halves(0.1)), checkpoint=path, callbacks=[cut_after(3)])
    with pytest.raises(ValueError, match=r"optimizer.learning_rate.rate is 0.1 there, 0.2 here"):
        begin("sgd")[1](optimizer=SGD(Halves(0.2)), checkpoint=path)
    assert begin("sgd")[1](optimizer=SGD(Halves(0.1)), checkpoint=path).epochs == EPOCHS


def test_the_example_of_the_guide(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    accuracies = []
    for _ in range(2):
        names = {}
        exec(program("run: checkpoint"), names)
        accuracies.append(names["net"].accuracy(names["X_test"], names["y_test"]))
        assert names["history"].epochs == 2
    assert accuracies[0] == accuracies[1] > 0.9
    assert facts(tmp_path / "run.safetensors")["stopped_because"] == "epochs"


def test_ctrl_c_behind_the_last_epoch_of_early_stopping(path):
    """The training is over: another epoch would give other weights."""
    name = "adam, dropout, batch norm, early stopping"
    whole, run = begin(name)
    expected = course(run())

    def press(net, record):
        if record["epoch"] == len(expected[0]):
            raise KeyboardInterrupt

    assert begin(name)[1](checkpoint=path, callbacks=[press]).stopped_because == "interrupted"
    net, run = begin(name)
    assert course(run(checkpoint=path)) == expected
    assert digest(net) == digest(whole)
