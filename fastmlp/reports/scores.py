"""Scores of a model of a table on rows that it has not seen, beside two baselines."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import metrics
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from fastmlp.tables import frames

OURS = "this model"
ITERATIONS = 200  # of the logistic regression, at most
MOST_ROWS = 50_000  # that the baselines learn from: more hardly change a linear model, and would be waited for
Rows = tuple[Any, np.ndarray]  # features (n, n_columns), target (n,)


@dataclass(frozen=True)
class Scores:
    """How good models are on the same rows.

    Attributes
    ----------
    models : dict
        For each model's name its metrics by name, NaN where a metric has no value for these rows. The first model is
        `OURS`.
    classes : list of dict
        For each class that occurs ``class``, ``precision``, ``recall`` and ``rows``; empty for regression.
    predicted : numpy.ndarray (n,)
        By `OURS`.
    """

    models: dict[str, dict[str, float]]
    classes: list[dict[str, Any]]
    predicted: np.ndarray


def compare(model: Any, training: Rows, test: Rows) -> Scores:
    """Return the scores of a fitted model, of a linear model, and of always the same answer.

    The linear model is scikit-learn's logistic regression or ridge regression, with its defaults, on the inputs that
    the encoder makes of the columns. Both baselines learn from the first 50,000 training rows.

    Parameters
    ----------
    model : TabularMLPClassifier or TabularMLPRegressor
        As it was fitted to `training`.
    training, test : (pandas.DataFrame, numpy.ndarray (n,))
        Features and target.

    Returns
    -------
    Scores
        Of the rows `test`.
    """
    X, y = test
    names, baselines = _baselines(model)
    learned = training[0].iloc[:MOST_ROWS], training[1][:MOST_ROWS]
    x_learned, x_test = (model.encoder_(frames.read(rows[0], model.encoder_.known)) for rows in (learned, test))
    predicted = model.predict(X)
    found = {OURS: measured(model, X, y, predicted)}
    for name, baseline in zip(names, baselines, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            baseline.fit(x_learned, learned[1])
        found[name] = measured(baseline, x_test, y, baseline.predict(x_test))
    return Scores(found, by_class(y, predicted) if is_classifier(model) else [], predicted)


def measured(model: Any, X: Any, y: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return the metrics of predictions.

    For classes they are accuracy, balanced accuracy and, of two classes, the area under the ROC curve. For numbers they
    are the mean absolute error, the root of the mean squared error, and R².

    Parameters
    ----------
    model : estimator
        That predicted.
    X : frame or numpy.ndarray (n, n_inputs)
        Its rows.
    y, predicted : numpy.ndarray (n,)
        True and predicted targets.
    """
    if is_classifier(model):
        recalls = [one["recall"] for one in by_class(y, predicted) if one["rows"]]
        found = {"accuracy": float(np.mean(y == predicted)), "balanced accuracy": float(np.mean(recalls))}
        if len(model.classes_) == 2:
            found["ROC AUC"] = _area(y, model.predict_proba(X)[:, 1], model.classes_)
        return found
    return {
        "MAE": float(metrics.mean_absolute_error(y, predicted)),
        "RMSE": float(metrics.root_mean_squared_error(y, predicted)),
        "R²": float(metrics.r2_score(y, predicted)) if len(y) > 1 else float("nan"),
    }


def by_class(y: np.ndarray, predicted: np.ndarray) -> list[dict[str, Any]]:
    """Return precision and recall of each class that is there or was predicted; 0 where nothing was predicted as it."""
    names = np.unique(np.concatenate([y, predicted]))
    precision, recall, _, rows = metrics.precision_recall_fscore_support(y, predicted, labels=names, zero_division=0.0)
    columns = (names.tolist(), precision.tolist(), recall.tolist(), map(int, rows))
    return [
        dict(zip(("class", "precision", "recall", "rows"), values, strict=True))
        for values in zip(*columns, strict=True)
    ]


def _baselines(model: Any) -> tuple[tuple[str, str], tuple[Any, Any]]:
    if is_classifier(model):
        return ("logistic regression", "most frequent class"), (
            LogisticRegression(max_iter=ITERATIONS),
            DummyClassifier(strategy="most_frequent"),
        )
    return ("ridge regression", "mean"), (Ridge(), DummyRegressor())


def _area(y: np.ndarray, probability: np.ndarray, classes: np.ndarray) -> float:
    """Return the area under the ROC curve of two classes; NaN where only one of them is there."""
    if not np.array_equal(np.unique(y), classes):
        return float("nan")
    return float(metrics.roc_auc_score(y == classes[1], probability))
