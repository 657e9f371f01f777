"""The options of the estimators that scikit-learn's do not have."""

import signal

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss

import fastmlp
from fastmlp import schedules
from fastmlp.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_layer_sizes": (7,), "max_iter": 4, "batch_size": 40, "random_state": 5, "learning_rate_init": 0.01}


def assert_equal_weights(a, b):
    for left, right in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_, strict=True):
        np.testing.assert_array_equal(left, right)


def differ(a, b):
    return any((left != right).any() for left, right in zip(a.coefs_, b.coefs_, strict=True))


def test_class_weight_is_a_sample_weight(X, targets):
    y = targets["multiclass"]
    factors = {"ant": 3.0, "bee": 0.5, "cat": 1.0}
    weights = np.array([factors[label] for label in y])
    by_class = MLPClassifier(class_weight=factors, **SMALL).fit(X, y)
    assert_equal_weights(by_class, MLPClassifier(**SMALL).fit(X, y, weights))
    assert differ(by_class, MLPClassifier(**SMALL).fit(X, y))
    rows = np.arange(1, len(X) + 1) / 10
    both = MLPClassifier(class_weight=factors, **SMALL).fit(X, y, rows)
    assert_equal_weights(both, MLPClassifier(**SMALL).fit(X, y, rows * weights))


def test_balanced_classes(X):
    y = np.arange(len(X)) % 5 == 0
    weights = np.where(y, 2.5, 0.625)  # n / (2 · count)
    balanced = MLPClassifier(class_weight="balanced", **SMALL).fit(X, y)
    assert_equal_weights(balanced, MLPClassifier(**SMALL).fit(X, y, weights))


def test_label_smoothing_gives_less_certain_classes(X, targets):
    for kind in ("multiclass", "binary"):
        sharp, smooth = (
            MLPClassifier(label_smoothing=smoothing, **SMALL | {"max_iter": 60}).fit(X, targets[kind])
            for smoothing in (0.0, 0.4)
        )
        assert smooth.predict_proba(X).max() < sharp.predict_proba(X).max() < 1
        assert smooth.score(X, targets[kind]) > 0.6


def test_validation_rows(X, targets):
    y = targets["multiclass"]
    estimator = MLPClassifier(alpha=0.0, **SMALL).fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    plain = MLPClassifier(alpha=0.0, **SMALL).fit(X[:100], y[:100])
    assert_equal_weights(estimator, plain)
    last = estimator.history_.records[-1]
    np.testing.assert_allclose(last["val_cost"], log_loss(y[100:], estimator.predict_proba(X[100:])), rtol=1e-9)
    assert last["val_accuracy"] == estimator.score(X[100:], y[100:]) == estimator.validation_scores_[-1]
    assert len(estimator.validation_scores_) == 4
    assert estimator.best_validation_score_ == max(estimator.validation_scores_)
    assert plain.validation_scores_ is None


def test_validation_weights(X, targets, weights):
    y = targets["number"]
    estimator = MLPRegressor(**SMALL, alpha=0.0)
    estimator.fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:], sample_weight_val=weights[100:])
    error = (estimator.predict(X[100:]) - y[100:]) ** 2
    expected = 0.5 * np.average(error, weights=weights[100:])
    np.testing.assert_allclose(estimator.history_.records[-1]["val_cost"], expected, rtol=1e-9)
    np.testing.assert_allclose(estimator.validation_scores_[-1], estimator.score(X[100:], y[100:], weights[100:]))


def test_early_stopping_by_given_rows_keeps_all_for_training(X, targets):
    y = targets["multiclass"]
    settings = SMALL | {"max_iter": 100, "early_stopping": True, "n_iter_no_change": 2, "tol": 0.01}
    estimator = MLPClassifier(**settings).fit(X, y, X_val=X[:50], y_val=y[:50])
    assert estimator.t_ == len(X) * estimator.n_iter_
    assert estimator.n_iter_ < 100
    assert estimator.score(X[:50], y[:50]) == estimator.best_validation_score_ == max(estimator.validation_scores_)


def test_metric_of_early_stopping(X):
    y = np.where(np.arange(len(X)) % 6 == 0, "rare", "common")
    settings = SMALL | {"early_stopping": True, "validation_fraction": 0.3}
    estimator = MLPClassifier(metric="balanced_accuracy", **settings).fit(X, y)
    seen = []

    def scorer(fitted, X_val, y_val):
        seen.append(balanced_accuracy_score(y_val, fitted.predict(X_val)))
        return seen[-1]

    by_function = MLPClassifier(metric=scorer, **settings).fit(X, y)
    assert by_function.validation_scores_ == seen == estimator.validation_scores_
    assert len(seen) == 4
    assert set(seen) != set(MLPClassifier(**settings).fit(X, y).validation_scores_)


def test_metric_with_weights(X, targets, weights):
    y = targets["number"]
    estimator = MLPRegressor(metric="neg_mean_absolute_error", **SMALL)
    estimator.fit(X, y, X_val=X, y_val=y, sample_weight_val=weights)
    error = np.average(np.abs(estimator.predict(X) - y), weights=weights)
    np.testing.assert_allclose(estimator.validation_scores_[-1], -error)


def test_callbacks_see_every_epoch_and_may_stop(X, targets):
    seen = []

    def callback(estimator, record):
        seen.append((record["epoch"], record["cost"], estimator.predict(X[:3])))
        return record["epoch"] == 3

    estimator = MLPRegressor(callbacks=[callback], **SMALL).fit(X, targets["number"])
    assert [epoch for epoch, _, _ in seen] == [1, 2, 3]
    assert [cost for _, cost, _ in seen] == estimator.loss_curve_
    np.testing.assert_array_equal(seen[-1][2], estimator.predict(X[:3]))
    assert estimator.history_.stopped_because == "callback"
    assert estimator.n_iter_ == 3


def test_callback_ends_lbfgs(X, targets):
    estimator = MLPRegressor(callbacks=(lambda _, record: record["epoch"] == 2,), **SMALL | {"solver": "lbfgs"})
    estimator.fit(X, targets["number"], X_val=X[:20], y_val=targets["number"][:20])
    assert estimator.n_iter_ == estimator.history_.epochs == 2
    assert estimator.history_.stopped_because == "callback"
    last = estimator.history_.records[-1]
    assert last["cost"] == estimator.loss_
    error = ((estimator.predict(X[:20]) - targets["number"][:20]) ** 2).mean() / 2
    np.testing.assert_allclose(last["val_cost"], error + estimator.network_.penalty(1e-4 / len(X)))


def test_schedule(X, targets):
    rates = schedules.StepDecay(0.02, every=2)
    estimator = MLPRegressor(schedule=rates, **SMALL).fit(X, targets["number"])
    np.testing.assert_allclose([r["learning_rate"] for r in estimator.history_.records], [0.02, 0.02, 0.002, 0.002])
    constant = MLPRegressor(schedule=schedules.Constant(0.01), **SMALL).fit(X, targets["number"])
    assert_equal_weights(constant, MLPRegressor(**SMALL).fit(X, targets["number"]))


def test_schedule_goes_on_in_partial_fit(X, targets):
    y = targets["number"]
    cosine = schedules.Cosine(0.02)
    whole = MLPRegressor(schedule=cosine, shuffle=False, **SMALL).fit(X, y)
    steps = MLPRegressor(schedule=cosine, shuffle=False, **SMALL)
    for _ in range(4):
        steps.partial_fit(X, y)
    assert_equal_weights(whole, steps)
    np.testing.assert_allclose(whole.loss_curve_, steps.loss_curve_)


def test_dropout(X, targets):
    y = targets["number"]
    settings = SMALL | {"hidden_layer_sizes": (7, 5)}
    dropped = MLPRegressor(dropout=0.5, **settings).fit(X, y)
    assert dropped.network_.dropout == (0.5, 0.5)
    assert MLPRegressor(dropout=[0.2, 0.0], **settings).fit(X, y).network_.dropout == (0.2, 0.0)
    assert differ(dropped, MLPRegressor(**settings).fit(X, y))
    assert_equal_weights(dropped, MLPRegressor(dropout=0.5, **settings).fit(X, y))
    np.testing.assert_array_equal(dropped.predict(X), dropped.predict(X))


def test_batch_norm(X, targets):
    y = targets["multiclass"]
    normed = MLPClassifier(batch_norm=True, **SMALL | {"max_iter": 30}).fit(X, y)
    assert normed.network_.batch_norm == fastmlp.BatchNorm()
    assert normed.score(X, y) > 0.6
    affine = fastmlp.BatchNorm(affine=True)
    assert MLPClassifier(batch_norm=affine, **SMALL).fit(X, y).network_.batch_norm == affine


def test_clip_norm(X, targets):
    y = 1000 * targets["number"]
    settings = SMALL | {"solver": "sgd", "nesterovs_momentum": False, "max_iter": 1, "batch_size": len(X), "alpha": 0.0}
    free, clipped, loose = (
        MLPRegressor(clip_norm=norm, shuffle=False, **settings).fit(X, y) for norm in (None, 1e-3, 1e9)
    )
    for left, right in zip(free.coefs_, loose.coefs_, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-12)
    start = MLPRegressor(**settings | {"learning_rate_init": 1e-300}).fit(X, y)
    moved = np.concatenate([(a - b).ravel() for a, b in zip(clipped.coefs_, start.coefs_, strict=True)])
    biases = np.concatenate([a - b for a, b in zip(clipped.intercepts_, start.intercepts_, strict=True)])
    np.testing.assert_allclose(np.hypot(np.linalg.norm(moved), np.linalg.norm(biases)), 0.01 * 1e-3, rtol=1e-6)


def test_weight_decay_shrinks(X, targets):
    y = targets["number"]
    plain, decayed = (MLPRegressor(weight_decay=decay, **SMALL).fit(X, y) for decay in (0.0, 5.0))
    assert decayed.network_.penalty(1.0) < 0.8 * plain.network_.penalty(1.0)


@pytest.mark.parametrize("activation", ["gelu", "silu", "selu", "mish", "leaky_relu"])
def test_more_activations_learn(X, targets, activation):
    y = targets["number"]
    estimator = MLPRegressor(activation=activation, **SMALL | {"max_iter": 60}).fit(X, y)
    assert estimator.network_.activation == activation
    assert estimator.score(X, y) > 0.6


@pytest.mark.parametrize(("loss", "of"), [("absolute_error", np.abs), ("huber", None)])
def test_more_losses_learn(X, targets, loss, of):
    y = targets["numbers"]
    estimator = MLPRegressor(loss=loss, alpha=0.0, **SMALL | {"max_iter": 60})
    estimator.fit(X, y, X_val=X, y_val=y)
    error = np.abs(estimator.predict(X) - y)
    costs = error if of is np.abs else np.where(error <= 1, error**2 / 2, error - 0.5)
    np.testing.assert_allclose(estimator.history_.records[-1]["val_cost"], costs.mean(), rtol=1e-9)
    assert estimator.score(X, y) > 0.5


def test_poisson_validation_cost_is_half_the_deviance(X, targets):
    from sklearn.metrics import mean_poisson_deviance

    y = targets["counts"]
    estimator = MLPRegressor(loss="poisson", alpha=0.0, **SMALL).fit(X, y, X_val=X, y_val=y)
    expected = mean_poisson_deviance(y, estimator.predict(X)) / 2
    np.testing.assert_allclose(estimator.history_.records[-1]["val_cost"], expected, rtol=1e-9)


def test_history(X, targets, tmp_path):
    estimator = MLPClassifier(**SMALL).fit(X, targets["binary"])
    records = estimator.history_.records
    assert [r["cost"] for r in records] == estimator.loss_curve_
    assert [(r["epoch"], r["steps"]) for r in records] == [(1, 4), (2, 8), (3, 12), (4, 16)]
    assert estimator.history_.batch_costs.shape == (16,)
    seconds = [r["seconds"] for r in records]
    assert sorted(seconds) == seconds
    assert 0 < seconds[-1] <= estimator.history_.seconds
    assert estimator.history_.to_frame().shape == (4, 8)
    estimator.history_.to_csv(tmp_path / "history.csv")


def test_penalty_in_costs(X, targets):
    y = targets["number"]
    alpha, n = 20.0, len(X)
    estimator = MLPRegressor(alpha=alpha, **SMALL | {"batch_size": n}).fit(X, y, X_val=X, y_val=y)
    expected = ((estimator.predict(X) - y) ** 2).mean() / 2 + alpha / (2 * n) * sum(
        (w**2).sum() for w in estimator.coefs_
    )
    np.testing.assert_allclose(estimator.history_.records[-1]["val_cost"], expected, rtol=1e-9)


def test_progress_bar(X, targets, capsys):
    MLPRegressor(progress=True, **SMALL).fit(X, targets["number"])
    assert "16/16" in capsys.readouterr().err
    MLPRegressor(**SMALL).fit(X, targets["number"])
    assert capsys.readouterr() == ("", "")


def test_verbose(X, targets, capsys):
    estimator = MLPRegressor(verbose=True, early_stopping=True, **SMALL).fit(X, targets["number"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Iteration 1, loss = {estimator.loss_curve_[0]:.8f}"
    assert lines[1] == f"Validation score: {estimator.validation_scores_[0]:f}"
    assert len(lines) == 8


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_ctrl_c_leaves_a_fitted_estimator(X, targets, solver):
    def callback(estimator, record):
        if record["epoch"] == 2:
            signal.raise_signal(signal.SIGINT)

    estimator = MLPRegressor(callbacks=[callback], **SMALL | {"solver": solver, "max_iter": 50})
    with pytest.warns(UserWarning, match="interrupted by user"):
        estimator.fit(X, targets["number"])
    assert estimator.history_.stopped_because == "interrupted"
    assert estimator.n_iter_ == 2
    assert np.isfinite(estimator.predict(X)).all()


def test_costs_of_zero(X, targets):
    # whole batches have no weight: their steps must not change anything wrongly
    weights = np.zeros(len(X))
    weights[:40] = 1
    estimator = MLPRegressor(shuffle=False, alpha=1.0, **SMALL).fit(X, targets["number"], weights)
    assert np.isfinite(estimator.loss_curve_).all()
    perfect = MLPRegressor(alpha=1.0, activation="identity", **SMALL).fit(np.zeros_like(X), np.zeros(len(X)))
    assert np.isfinite(perfect.loss_curve_).all()


def test_edits_of_coefs_change_the_prediction(X, targets):
    estimator = MLPRegressor(**SMALL).fit(X, targets["number"])
    before = estimator.predict(X)
    estimator.intercepts_[-1][:] += 1
    np.testing.assert_allclose(estimator.predict(X), before + 1)
    estimator.intercepts_[-1] = estimator.intercepts_[-1] - 1
    np.testing.assert_allclose(estimator.predict(X), before)
    coefs = [2 * w for w in estimator.coefs_]
    estimator.coefs_ = coefs
    np.testing.assert_array_equal(estimator.network_.weights[0], coefs[0])
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        estimator.coefs_ = coefs[:1]
