"""When to stop: scikit-learn's rule, by the training loss or by the score of the validation rows."""

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import get_scorer

from fastmlp.inputs.sparse import plain

if TYPE_CHECKING:
    from fastmlp.sklearn.base import BaseMLP
    from fastmlp.sklearn.rows import Rows


def begin(estimator: "BaseMLP", *, anew: bool, validated: bool) -> None:
    """Set the curves and the best values to their start, or leave those of the earlier fit that this one continues."""
    early = bool(estimator.early_stopping)
    if anew or not hasattr(estimator, "loss_curve_") or (estimator.best_loss_ is None) != early:
        estimator.loss_curve_ = []
        estimator.best_loss_ = None if early else np.inf
        estimator.validation_scores_ = estimator.best_validation_score_ = None
        estimator._no_improvement_count = 0
        estimator._best = estimator.network_.snapshot() if early else None
    if validated and estimator.validation_scores_ is None:
        estimator.validation_scores_, estimator.best_validation_score_ = [], -np.inf


def update(estimator: "BaseMLP", held_out: "Rows | None") -> None:
    """Take the loss of the epoch, score the validation rows, and count the epochs without improvement."""
    loss = estimator.loss_
    estimator.loss_curve_.append(loss)
    if held_out is not None:
        score = _score(estimator, held_out)
        estimator.validation_scores_.append(score)
        worse = score < estimator.best_validation_score_ + estimator.tol
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            if estimator.early_stopping:
                estimator._best = estimator.network_.snapshot()
    if not estimator.early_stopping:
        worse = loss > estimator.best_loss_ - estimator.tol
        estimator.best_loss_ = min(loss, estimator.best_loss_)
    estimator._no_improvement_count = estimator._no_improvement_count + 1 if worse else 0


def exhausted(estimator: "BaseMLP") -> bool:
    """Whether the loss or the score has not improved for more than ``n_iter_no_change`` epochs."""
    return bool(estimator._no_improvement_count > estimator.n_iter_no_change)


def _score(estimator: "BaseMLP", held_out: "Rows") -> float:
    if estimator.metric is None:
        return estimator._default_score(held_out)
    unnamed: Any = copy.copy(estimator)  # a scorer predicts from plain arrays: without names, no warning that they lack
    vars(unnamed).pop("feature_names_in_", None)
    weights = {} if held_out.weights is None else {"sample_weight": held_out.weights}
    return float(get_scorer(estimator.metric)(unnamed, plain(held_out.x), held_out.y, **weights))
