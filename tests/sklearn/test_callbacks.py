"""scikit-learn's own callbacks, which exist from version 1.9 on."""

import numpy as np
import pytest

from fastmlp.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
callback = pytest.importorskip("sklearn.callback")


class Recorder:
    """A callback that records every call of a hook, and stops the fit after some epochs."""

    def __init__(self, stop_after=None):
        self.calls, self.scores, self.stop_after = [], [], stop_after

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.calls.append(f"end {context.task_name}")
        if fitted_estimator is not None:
            self.scores.append((context.task_name, fitted_estimator, fitted_estimator.score(X, y)))
        return self.calls.count("end epoch") == self.stop_after


@pytest.fixture
def data():
    """Two classes and a number."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    return X, np.where(X[:, 0] > 0, "yes", "no"), X @ [1.0, 2.0, 3.0]


def _names(recorder):
    return [name for name in recorder.calls if name.split()[0] in ("begin", "end")]


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_task_for_the_fit_and_one_for_each_epoch(solver, data):
    X, y, _ = data
    recorder = Recorder()
    model = MLPClassifier((5,), solver=solver, max_iter=3, random_state=0).set_callbacks(recorder).fit(X, y)
    assert recorder.calls == [
        "setup", "begin fit", *3 * ["begin epoch", "end epoch"], "end fit", "teardown"
    ]  # fmt: skip
    at_epochs = [estimator for task, estimator, _ in recorder.scores if task == "epoch"]
    weights = [estimator.network_.snapshot() for estimator in at_epochs]
    assert not np.array_equal(weights[0], weights[1])  # copies, and not the arrays of the network in training
    assert recorder.scores[-1][2] == model.score(X, y)


def test_lbfgs_has_a_task_for_each_iteration(data):
    X, _, y = data
    recorder = Recorder()
    model = (
        MLPRegressor(hidden_layer_sizes=(5,), solver="lbfgs", max_iter=4, random_state=0)
        .set_callbacks(recorder)
        .fit(X, y)
    )
    assert recorder.calls[-1] == "teardown"
    names = _names(recorder)
    assert names[0] == "begin fit"
    assert names[-1] == "end fit"
    assert names.count("begin epoch") == names.count("end epoch") >= model.n_iter_ == 4


def test_a_callback_stops_the_fit(data):
    X, y, _ = data
    model = MLPClassifier((5,), max_iter=9, random_state=0).set_callbacks(Recorder(stop_after=2)).fit(X, y)
    assert model.n_iter_ == 2
    assert model.history_.stopped_because == "callback"


def test_scoring_monitor_of_scikit_learn(data):
    X, y, _ = data
    monitor = callback.ScoringMonitor(scoring="accuracy")
    model = MLPClassifier((5,), max_iter=3, random_state=0).set_callbacks(monitor).fit(X, y)
    assert "accuracy" in repr(monitor.get_logs().data)
    assert model.score(X, y) <= 1


def test_tasks_are_closed_when_the_fit_fails(data):
    X, y, _ = data
    recorder = Recorder()

    def fail(estimator, record):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        MLPClassifier((5,), max_iter=3, callbacks=[fail]).set_callbacks(recorder).fit(X, y)
    assert recorder.calls[-1] == "teardown"
