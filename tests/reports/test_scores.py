"""Scores on held-out rows beside baselines."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from fastmlp.reports.scores import OURS, by_class, compare, measured
from fastmlp.tables import frames


def test_numbers(numbers):
    model, training, (X, y) = numbers
    scores = compare(model, training, (X, y))
    assert list(scores.models) == [OURS, "ridge regression", "mean"]
    error = model.predict(X) - y
    ours = scores.models[OURS]
    np.testing.assert_allclose(ours["MAE"], np.abs(error).mean())
    np.testing.assert_allclose(ours["RMSE"], np.sqrt((error**2).mean()))
    np.testing.assert_allclose(ours["R²"], 1 - (error**2).sum() / ((y - y.mean()) ** 2).sum())
    np.testing.assert_allclose(scores.models["mean"]["MAE"], np.abs(y - training[1].mean()).mean())
    x, x_test = (model.encoder_(frames.read(part, model.encoder_.known)) for part in (training[0], X))
    linear = Ridge().fit(x, training[1]).predict(x_test)
    np.testing.assert_allclose(scores.models["ridge regression"]["MAE"], np.abs(linear - y).mean())
    assert scores.classes == []
    np.testing.assert_array_equal(scores.predicted, model.predict(X))


def test_classes(classes):
    model, training, (X, y) = classes
    scores = compare(model, training, (X, y))
    assert list(scores.models) == [OURS, "logistic regression", "most frequent class"]
    assert scores.models[OURS]["accuracy"] == model.score(X, y) > 0.9
    assert scores.models["most frequent class"]["balanced accuracy"] == 0.5
    assert scores.models["most frequent class"]["ROC AUC"] == 0.5
    assert 0.9 < scores.models["logistic regression"]["ROC AUC"] <= 1
    assert sum(one["rows"] for one in scores.classes) == len(y)


def test_baselines_learn_from_some_of_many_rows(monkeypatch, numbers):
    model, (X, y), test = numbers
    monkeypatch.setattr("fastmlp.reports.scores.MOST_ROWS", 10)
    mean = compare(model, (X, y), test).models["mean"]
    np.testing.assert_allclose(mean["MAE"], np.abs(test[1] - y[:10].mean()).mean())


def test_precision_and_recall_by_hand():
    found = by_class(np.array(["a", "a", "a", "b", "c"]), np.array(["a", "a", "b", "b", "d"]))
    assert [type(one["rows"]) for one in found] == [int] * 4
    assert found == [
        {"class": "a", "precision": 1.0, "recall": pytest.approx(2 / 3), "rows": 3},
        {"class": "b", "precision": 0.5, "recall": 1.0, "rows": 1},
        {"class": "c", "precision": 0.0, "recall": 0.0, "rows": 1},
        {"class": "d", "precision": 0.0, "recall": 0.0, "rows": 0},
    ]


def test_metrics_that_have_no_value(numbers, classes):
    """One row has no R²; rows of one class have no ROC curve. A class that was only predicted has no recall."""
    model, _, (X, y) = numbers
    assert np.isnan(measured(model, X[:1], y[:1], y[:1])["R²"])
    model, _, (X, y) = classes
    plus = y == "plus"
    found = measured(model, X[plus], y[plus], np.where(np.arange(plus.sum()) == 0, "minus", "plus"))
    assert np.isnan(found["ROC AUC"])
    assert found["balanced accuracy"] == found["accuracy"] == 1 - 1 / plus.sum()
