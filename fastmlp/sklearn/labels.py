"""The labels of a classifier: which it knows, what the network learns of them, and what its outputs say."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.metrics import accuracy_score
from sklearn.utils import compute_class_weight
from sklearn.utils._unique import attach_unique
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from fastmlp import losses
from fastmlp.sklearn.base import BaseMLP
from fastmlp.sklearn.dataset import ScoredDataset


class LabelledMLP(BaseMLP):
    """A base class whose targets are labels: one class of several for each row, or 0 and 1 for each of several labels.

    Two classes are one logistic output, more of them a softmax, several labels a logistic output each.
    """

    classes_: np.ndarray

    def _announce_classes(self, classes: Any, y: Any) -> None:
        """Take the classes that the first call of ``partial_fit`` names, or check those of a later call."""
        known = hasattr(self, "classes_")
        if classes is None and not known:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is not None:
            labels = unique_labels(classes)
            if known and not np.array_equal(self.classes_, labels):
                raise ValueError(f"`classes={classes!r}` is not the same as on last call, was: {self.classes_!r}")
            if not known:
                self.classes_, self._multilabel = labels, _is_multilabel(y)
                self._sparse_labels = sparse.issparse(y)

    def _learn_target(self, y: Any, *, incremental: bool) -> Any:
        marked = attach_unique(y)  # a view that keeps the classes: without it scikit-learn finds them six times
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            check_classification_targets(marked)
            kind = type_of_target(marked, input_name="y")
            if kind == "multiclass-multioutput":
                raise ValueError("Multioutput target data is not supported: y must be one class, or 0 and 1, a column")
            self.classes_ = unique_labels(marked)
            self._multilabel, self._sparse_labels = kind.startswith("multilabel"), sparse.issparse(y)
        elif self.warm_start and set(unique_labels(marked)) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously "
                f"got {self.classes_}, `y` has {unique_labels(marked)}"
            )
        self._check_known(marked)
        return y.toarray() if sparse.issparse(y) else y

    def _known_target(self, y: Any) -> Any:
        self._check_known(attach_unique(y))
        return y.toarray() if sparse.issparse(y) else y

    def _check_known(self, y: Any) -> None:
        if _is_multilabel(y) != self._multilabel:
            raise ValueError(f"y must be {'0 and 1 for each label' if self._multilabel else 'one class for each row'}")
        classes = unique_labels(y)
        if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(f"`y` has classes not in `self.classes_`: {self.classes_}, y has {classes}.")

    def _class_indices(self, y: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.classes_, y)

    def _output(self, y: Any) -> tuple[int, str]:
        if self._multilabel:
            return y.shape[1], "logistic"
        n_classes = len(self.classes_)
        return (n_classes, "softmax") if n_classes > 2 else (1, "logistic")

    def _targets(self, y: Any, dtype: np.dtype) -> np.ndarray:
        if self._multilabel:
            if y.shape[1] != self.n_outputs_:
                raise ValueError(f"y must have a column for each of {self.n_outputs_} labels, got {y.shape[1]}")
            return np.ascontiguousarray(y != 0, dtype)
        indices = self._class_indices(y)
        if self.out_activation_ == "softmax":
            return np.ascontiguousarray(indices, np.int64)
        return np.ascontiguousarray(indices.reshape(-1, 1), dtype)

    def _cost(self) -> Any:
        if self.out_activation_ == "softmax":
            return losses.CrossEntropy(self.label_smoothing)
        return losses.BinaryCrossEntropy(self.label_smoothing)

    def _loss_weight(self, y: Any, sample_weight: np.ndarray | None) -> np.ndarray | None:
        if self.class_weight is None:
            return sample_weight
        if self._multilabel:
            raise ValueError(f"class_weight={self.class_weight!r} needs one class for each row, y has several labels")
        factors = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        weights: np.ndarray = factors[self._class_indices(y)]
        return weights if sample_weight is None else weights * sample_weight

    def _stratify(self, y: Any) -> np.ndarray | None:
        # scikit-learn's MLP draws stratified rows for two classes, and not for more
        return self._class_indices(y).astype(bool)[:, None] if self.n_outputs_ == 1 and not self._multilabel else None

    def _labels(self, outputs: np.ndarray) -> np.ndarray:
        if self.out_activation_ == "softmax":
            labels: np.ndarray = self.classes_[outputs.argmax(axis=1)]
            return labels
        above: np.ndarray = (outputs > 0.5).astype(int)
        return above if self._multilabel else self.classes_[np.minimum(above[:, 0], len(self.classes_) - 1)]

    def _default_score(self, held_out: ScoredDataset) -> float:
        labels = self._labels(self.network_.outputs(held_out.x, threads=self.n_threads_))
        return float(accuracy_score(held_out.y, labels, sample_weight=held_out.weights))


def _is_multilabel(y: Any) -> bool:
    return bool(type_of_target(y).startswith("multilabel"))
