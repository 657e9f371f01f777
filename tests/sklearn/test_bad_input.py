"""Bad input of the estimators, and the texts of its errors."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from fastmlp import schedules
from fastmlp.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_layer_sizes": (7,), "max_iter": 2, "batch_size": 40, "random_state": 5}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"activation": "step"}, "'activation' parameter of MLPRegressor"),
        ({"loss": "hinge"}, "'loss' parameter"),
        ({"dropout": 1.0}, "'dropout' parameter"),
        ({"dropout": [0.1, 0.2]}, "dropout"),
        ({"batch_norm": "yes"}, "'batch_norm' parameter"),
        ({"clip_norm": 0.0}, "'clip_norm' parameter"),
        ({"weight_decay": -1.0}, "'weight_decay' parameter"),
        ({"weight_decay": 0.1, "solver": "sgd"}, "weight_decay=0.1 needs solver='adam', got 'sgd'"),
        ({"callbacks": print}, "'callbacks' parameter"),
        ({"callbacks": [1]}, "callbacks must be a sequence of functions"),
        ({"schedule": 0.1}, "'schedule' parameter"),
        ({"metric": "beauty"}, "'metric' parameter"),
        ({"threads": 0}, "'threads' parameter"),
        ({"progress": "bar"}, "'progress' parameter"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be > 0"),
        ({"solver": "lbfgs", "dropout": 0.1}, "dropout=0.1 needs solver='sgd' or 'adam', got 'lbfgs'"),
        ({"solver": "lbfgs", "batch_norm": True}, "batch_norm=True needs"),
        ({"solver": "lbfgs", "clip_norm": 1.0}, "clip_norm=1.0 needs"),
        ({"solver": "lbfgs", "schedule": schedules.Constant(0.1)}, "schedule=.* needs"),
        ({"early_stopping": True, "validation_fraction": 0.005}, "validation set is too small"),
    ],
    ids=str,
)
def test_parameters(parameters, message, X, targets):
    estimator = MLPRegressor(**SMALL | parameters)
    with pytest.raises((ValueError, TypeError), match=message):
        estimator.fit(X, targets["number"])
    if "validation" not in message:
        assert not hasattr(estimator, "network_")


class Wild(schedules.Schedule):
    def rates(self, steps, steps_per_epoch, epochs):
        return np.full(3, -1.0)


def test_schedule_of_a_wrong_shape(X, targets):
    with pytest.raises(ValueError, match="must give 4 finite rates of at least 0"):
        MLPRegressor(schedule=Wild(), **SMALL).fit(X, targets["number"])


@pytest.mark.parametrize(
    ("parameters", "kind", "message"),
    [
        ({"class_weight": "equal"}, "binary", "'class_weight' parameter"),
        ({"class_weight": {"dog": 2}}, "multiclass", "dog|class_weight"),
        ({"class_weight": "balanced"}, "multilabel", "needs one class for each row"),
        ({"label_smoothing": 1.0}, "binary", "'label_smoothing' parameter"),
    ],
)
def test_classifier_parameters(parameters, kind, message, X, targets):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**SMALL | parameters).fit(X, targets[kind])


def test_validation_data(X, targets):
    y = targets["multiclass"]
    estimator = MLPClassifier(**SMALL)
    with pytest.raises(ValueError, match="y_val is missing"):
        estimator.fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="X_val is missing"):
        estimator.fit(X, y, y_val=y)
    with pytest.raises(ValueError, match="6 features"):
        estimator.fit(X, y, X_val=X[:, 1:], y_val=y)
    with pytest.raises(ValueError, match="classes not in"):
        estimator.fit(X, y, X_val=X, y_val=["dog"] * len(X))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        estimator.fit(X, y, X_val=X, y_val=y[1:])


def test_targets(X, targets):
    with pytest.raises(ValueError, match="y of at least 0, got -1"):
        MLPRegressor(loss="poisson", **SMALL).fit(X, np.full(len(X), -1.0))
    with pytest.raises(ValueError, match="finite in float32"):
        MLPRegressor(**SMALL).fit(X.astype(np.float32), np.full(len(X), 1e39))
    with pytest.raises(ValueError, match="Unknown label type"):
        MLPClassifier(**SMALL).fit(X, targets["number"])
    with pytest.raises(ValueError, match="Multioutput target data is not supported"):
        MLPClassifier(**SMALL).fit(X, np.arange(2 * len(X)).reshape(-1, 2) % 3)


def test_partial_fit(X, targets):
    y = targets["multiclass"]
    with pytest.raises(AttributeError, match="partial_fit"):
        MLPRegressor(solver="lbfgs").partial_fit  # noqa: B018
    with pytest.raises(ValueError, match="does not support early_stopping"):
        MLPClassifier(early_stopping=True).partial_fit(X, y, classes=np.unique(y))
    with pytest.raises(ValueError, match="classes must be passed"):
        MLPClassifier().partial_fit(X, y)
    with pytest.raises(ValueError, match="balanced"):
        MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=np.unique(y))
    estimator = MLPClassifier(**SMALL).partial_fit(X, y, classes=np.unique(y))
    with pytest.raises(ValueError, match="not the same as on last call"):
        estimator.partial_fit(X, y, classes=["ant", "dog"])
    with pytest.raises(ValueError, match="classes not in"):
        estimator.partial_fit(X, np.where(y == "ant", "dog", y))
    with pytest.raises(ValueError, match="one class for each row"):
        estimator.partial_fit(X, targets["multilabel"])
    with pytest.raises(ValueError, match="features"):
        estimator.partial_fit(X[:, 1:], y)


def test_warm_start_of_another_shape(X, targets):
    estimator = MLPRegressor(warm_start=True, **SMALL).fit(X, targets["number"])
    with pytest.raises(ValueError, match=r"goes on with .*\(6, 7, 1\)"):
        estimator.set_params(hidden_layer_sizes=(8,)).fit(X, targets["number"])
    with pytest.raises(ValueError, match="goes on with"):
        estimator.set_params(hidden_layer_sizes=(7,), activation="tanh").fit(X, targets["number"])
    classifier = MLPClassifier(warm_start=True, **SMALL).fit(X, targets["multiclass"])
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        classifier.fit(X, targets["binary"])


@pytest.mark.parametrize("rows", [1, 100])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_predicting_what_is_not_finite(X, targets, rows, value):
    estimator = MLPRegressor(**SMALL).fit(X, targets["number"])
    bad = X[:rows].copy()
    bad[0, 2] = value
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        estimator.predict(bad)


@pytest.mark.parametrize("shape", [(1, 5), (6,), (0, 6), (1, 6, 1)])
def test_predicting_another_shape(X, targets, shape):
    estimator = MLPRegressor(**SMALL).fit(X, targets["number"])
    with pytest.raises(ValueError, match=r"features|Expected 2D|minimum of 1|dim"):
        estimator.predict(np.zeros(shape))


def test_not_fitted(X):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        MLPClassifier().predict_proba(X)


def test_weights_that_run_away(X, targets):
    estimator = MLPRegressor(solver="sgd", learning_rate_init=1e6, **SMALL | {"max_iter": 50})
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        estimator.fit(X, targets["number"])


def test_weights_that_run_away_after_a_good_epoch(X, targets):
    def run_away(estimator, record):
        if record["epoch"] == 3:
            estimator._optimizer.learning_rate = 1e200

    settings = {"solver": "sgd", "early_stopping": True, "callbacks": [run_away]}
    estimator = MLPRegressor(**SMALL | {"max_iter": 50} | settings)
    with pytest.warns(RuntimeWarning, match=r"non-finite parameter weights.*epoch 4"):
        estimator.fit(X, targets["number"])
    assert np.isnan(estimator.validation_scores_[-1])
    assert estimator.history_.stopped_because == "cost not finite"
    assert estimator.best_validation_score_ == max(estimator.validation_scores_[:3])
    assert np.isfinite(estimator.predict(X)).all()


def test_batch_larger_than_the_data(X, targets):
    with pytest.warns(UserWarning, match="batch_size=1000, larger than the 150 rows"):
        MLPRegressor(**SMALL | {"batch_size": 1000}).fit(X, targets["number"])
