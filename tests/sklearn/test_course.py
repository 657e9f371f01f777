"""A fit that goes on from a checkpoint: the bits of one that never stopped, or a refusal."""

import numpy as np
import pytest
import resumable
from networks import digest
from resumable import PowerCutError, cut_after

from fastmlp import schedules
from fastmlp.sklearn import MLPClassifier, MLPRegressor

X, Y = resumable._rows()
COMMON = {"hidden_layer_sizes": (17, 7), "random_state": 3, "max_iter": 7, "batch_size": 32}
FITS = {
    "adam, dropout, batch norm": {"dropout": 0.3, "batch_norm": True},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2, "learning_rate_init": 0.03, "max_iter": 30},
    "adaptive sgd": {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.1},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
    "a schedule, rows in order": {"schedule": schedules.Cosine(0.01), "shuffle": False, "alpha": 0.1},
    "float32 and weights": {"matmul_precision": "bfloat16", "class_weight": "balanced"},
}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def state(estimator):
    """All that a fit leaves behind, without the seconds."""
    records = resumable.without_seconds(estimator.history_.records)
    names = ("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "validation_scores_", "best_validation_score_")
    values = {name: getattr(estimator, name) for name in names}
    moments = [moment.tobytes() for moment in estimator._optimizer.state.moments]
    ended = estimator.history_.stopped_because, estimator.history_.batch_costs.tobytes()
    return digest(estimator.network_), records, values, moments, ended


@pytest.mark.parametrize("name", FITS)
def test_the_bits_of_a_fit_that_never_stopped(name, tmp_path):
    settings = COMMON | FITS[name]
    expected = state(MLPClassifier(**settings).fit(X, Y))
    path = tmp_path / "fit.safetensors"
    for epoch in range(1, len(expected[1]) + 1):
        with pytest.raises(PowerCutError):
            MLPClassifier(checkpoint=path, callbacks=[cut_after(epoch)], threads=2, **settings).fit(X, Y)
    assert state(MLPClassifier(checkpoint=path, **settings).fit(X, Y)) == expected
    called = []
    done = MLPClassifier(checkpoint=str(path), callbacks=[lambda *_: called.append(1)], **settings).fit(X, Y)
    assert state(done) == expected
    assert called == []


def test_some_fits_above_stop_early_and_slow_down():
    """Else neither was tested."""
    early = MLPClassifier(**COMMON | FITS["early stopping"]).fit(X, Y)
    assert early.history_.stopped_because == "early stopping"
    slow = MLPClassifier(**COMMON | FITS["adaptive sgd"]).fit(X, Y)
    assert slow._optimizer.learning_rate < slow.learning_rate_init


def test_a_regressor(tmp_path):
    settings = COMMON | {"X_val": None}
    settings.pop("X_val")
    y = X[:, :2] @ np.array([[1.0, 2], [3, 4]])
    expected = state(MLPRegressor(**settings).fit(X, y))
    path = tmp_path / "fit.safetensors"
    with pytest.raises(PowerCutError):
        MLPRegressor(checkpoint=path, callbacks=[cut_after(4)], **settings).fit(X, y)
    assert state(MLPRegressor(checkpoint=path, **settings).fit(X, y)) == expected


def test_more_iterations_go_on(tmp_path):
    path = tmp_path / "fit.safetensors"
    MLPClassifier(checkpoint=path, **COMMON).fit(X, Y)
    more = COMMON | {"max_iter": 11}
    assert state(MLPClassifier(checkpoint=path, **more).fit(X, Y)) == state(MLPClassifier(**more).fit(X, Y))


@pytest.mark.parametrize(
    ("what", "settings", "x"),
    [
        ("alpha", {"alpha": 0.5}, X),
        ("random_state", {"random_state": 4}, X),
        ("data.X.rows", {}, X + 1),
        ("dropout", {"dropout": 0.5}, X),
    ],
)
def test_another_fit_is_refused(what, settings, x, tmp_path):
    path = tmp_path / "fit.safetensors"
    MLPClassifier(checkpoint=path, **COMMON).fit(X, Y)
    with pytest.raises(ValueError, match=f"belongs to another training: .*{what}"):
        MLPClassifier(checkpoint=path, **COMMON | settings).fit(x, Y)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"random_state": None}, "checkpoint needs random_state"),
        ({"solver": "lbfgs"}, "'lbfgs'"),
        ({"warm_start": True}, "warm_start"),
        ({"checkpoint_epochs": 0}, "checkpoint_epochs"),
        ({"checkpoint": 3}, "checkpoint"),
    ],
)
def test_what_cannot_go_on_is_refused(settings, words, tmp_path):
    estimator = MLPClassifier(**COMMON | {"checkpoint": tmp_path / "fit"} | settings)
    with pytest.raises(ValueError, match=words):
        estimator.fit(X, Y)
    assert list(tmp_path.iterdir()) == []


def test_partial_fit_keeps_nothing(tmp_path):
    with pytest.raises(ValueError, match="partial_fit"):
        MLPClassifier(checkpoint=tmp_path / "fit", **COMMON).partial_fit(X, Y, classes=[0, 1, 2])
