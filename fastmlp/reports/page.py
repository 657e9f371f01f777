"""A page about a model of a table: one HTML file, which loads nothing from elsewhere."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import confusion_matrix

from fastmlp import plots
from fastmlp.experiments import page
from fastmlp.reports.digits import digits
from fastmlp.reports.figures import predicted_against_true
from fastmlp.reports.importance import Importance
from fastmlp.reports.scores import Scores

MOST_CLASSES = 25  # of a confusion matrix
MOST_COLUMNS = 30  # of which the importance is shown
OTHERS = "others"


class Confusion(NamedTuple):
    """How the rows of each class were predicted.

    Attributes
    ----------
    classes : list of str
        The most frequent ones, then perhaps the others together.
    counts : list of list of int
        For each class, its rows that were predicted as each class.
    """

    classes: list[str]
    counts: list[list[int]]

    @property
    def rows(self) -> list[tuple[str, list[tuple[int, float]]]]:
        """For each class its name, and the count and share of the rows that were predicted as each class."""
        sums = [max(1, sum(counts)) for counts in self.counts]
        return [
            (name, [(count, count / n) for count in counts])
            for name, counts, n in zip(self.classes, self.counts, sums, strict=True)
        ]


def confusion(y: np.ndarray, predicted: np.ndarray) -> Confusion:
    """Return the confusion matrix of at most 25 classes: all, or the most frequent 24 and the others.

    Parameters
    ----------
    y, predicted : numpy.ndarray (n,)
        True and predicted classes.
    """
    classes, counts = np.unique(np.concatenate([y, predicted]), return_counts=True)
    if len(classes) > MOST_CLASSES:
        rare = np.argsort(-counts, kind="stable")[MOST_CLASSES - 1 :]
        y, predicted = (np.where(np.isin(one, classes[rare]), OTHERS, one.astype(str)) for one in (y, predicted))
        classes = np.array([*np.delete(classes, rare).astype(str), OTHERS])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="A single label was found")  # all rows are of one class
        counts = confusion_matrix(y, predicted, labels=classes)
    return Confusion([str(name) for name in classes], counts.tolist())


def render(
    found: dict[str, Any], model: Any, scores: Scores | None, y: np.ndarray, importances: list[Importance]
) -> str:
    """Return the page.

    Parameters
    ----------
    found : dict
        What the training gave, as ``fastmlp train --json`` prints it.
    model : TabularMLPClassifier or TabularMLPRegressor
        Fitted.
    scores : Scores or None
        Where rows were held out.
    y : numpy.ndarray (n,)
        The true target of these rows.
    importances : list of Importance
        Of the columns; empty where no rows were held out.

    Raises
    ------
    ImportError
        The extra ``experiments`` is not installed.
    """
    history = page.image_address(plots.plot_history(model.histories_[0], stacked=True))
    matrix = scatter = None
    if scores is not None and scores.classes:
        matrix = confusion(y, scores.predicted)
    elif scores is not None:
        scatter = page.image_address(predicted_against_true(y, scores.predicted, label=found["target"]))
    largest = max((one.mean for one in importances), default=0.0)
    return page.render(
        "table.html",
        package="fastmlp.reports",
        digits=digits,
        found=found,
        scores=scores,
        history=history,
        matrix=matrix,
        scatter=scatter,
        importances=importances[:MOST_COLUMNS],
        n_less_important=len(importances[MOST_COLUMNS:]),
        largest=largest if largest > 0 else 1.0,
    )
