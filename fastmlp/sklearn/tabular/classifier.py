"""`TabularMLPClassifier`: one of several classes for each row of a table."""

import math
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from fastmlp.losses import CrossEntropy
from fastmlp.sklearn.tabular.base import BaseTabularMLP
from fastmlp.sklearn.tabular.constraints import CLASSIFIER
from fastmlp.sklearn.tabular.plain import array_of, of_array
from fastmlp.sklearn.tabular.recipe import Recipe

TEXT = "OU"  # kinds of dtypes that do not compare with numbers


class TabularMLPClassifier(ClassifierMixin, BaseTabularMLP):
    """A classifier of tables as they come: with text, dates, gaps and columns of any scale, and without tuning.

    Columns are encoded, and networks trained, by the recipe RealMLP-TD-S: Holzmüller, Grinsztajn and Steinwart, "Better
    by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data" (2024). `fastmlp.guide.tables` has the rules.

    Parameters
    ----------
    n_ens : int
        How many networks are trained and averaged. They differ in their initial weights and in the order of the rows.
    hidden_layer_sizes : int or sequence of int
        Widths of the hidden layers.
    activation : str
        Of the hidden layers, as for `fastmlp.MLP`.
    learning_rate : float
        The highest rate.
    batch_size : int
        About so many rows are a mini-batch; all mini-batches have the same size.
    max_epochs : int
        How many epochs are trained.
    label_smoothing : float
        Share of the target spread over all classes, at least 0 and below 1.
    validation_fraction : float
        Share of the rows that are held out, stratified by class. The networks go back to the last of the epochs at
        which their cost, the cross-entropy with label smoothing, was smallest. Of fewer than 50 rows, or with 0, none
        are held out; then the last epoch counts.
    class_weight : dict or "balanced", optional
        Weight of the rows of each class in the cost, by label. It is multiplied by their ``sample_weight``. "balanced"
        gives all classes the same total weight.
    random_state : int, RandomState or None
        For the held-out rows, the initial weights and the order of the rows. The same int gives the same bits at any
        number of threads.
    threads : int, optional
        Number of threads. Default: all cores that the process may use, but 1 in a worker of joblib, dask or a process
        pool.
    progress : bool, optional
        Show a progress bar. None shows it on a terminal only.

    Attributes
    ----------
    classes_ : numpy.ndarray (n_classes,)
        The classes of `fit`, sorted.
    encoder_ : Encoder
        ``encoder_.columns`` says what was made of each column.
    networks_ : list of MLP
        Their inputs are those of `encoder_`.
    histories_ : list of History
        One for each network; ``best_epoch`` is the epoch whose parameters it has.
    target_name_ : str or None
        The name of `y` where it was a column of a frame.
    n_features_in_, feature_names_in_
        As scikit-learn's.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CLASSIFIER
    classes_: np.ndarray

    def __init__(
        self,
        *,
        n_ens: int = 1,
        hidden_layer_sizes: Any = (256, 256, 256),
        activation: str = "selu",
        learning_rate: float = 0.04,
        batch_size: int = 256,
        max_epochs: int = 256,
        label_smoothing: float = 0.1,
        validation_fraction: float = 0.2,
        class_weight: dict[Any, float] | str | None = None,
        random_state: Any = None,
        threads: int | None = None,
        progress: bool | None = False,
    ) -> None:
        self._store(locals())

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : frame or array-like (n, n_features)
            With the columns of `fit`, in their order.

        Returns
        -------
        numpy.ndarray (n,)
            Elements of `classes_`.

        Raises
        ------
        ValueError, TypeError
            A column is missing, is new, or holds what it did not hold in training.
        """
        places = self._outputs(X).argmax(axis=1)
        found: np.ndarray = self.classes_[places]
        return found

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class.

        Parameters
        ----------
        X : frame or array-like (n, n_features)
            With the columns of `fit`, in their order.

        Returns
        -------
        numpy.ndarray (n, n_classes)
            In the order of `classes_`.

        Raises
        ------
        ValueError, TypeError
            As for `predict`.
        """
        return self._outputs(X)

    def _checked_target(self, y: np.ndarray) -> np.ndarray:
        y = column_or_1d(y, warn=True)
        try:
            check_classification_targets(y)  # sorts them
        except TypeError as error:
            kinds = sorted({type(value).__name__ for value in y.tolist()})
            raise TypeError(f"y mixes {' and '.join(kinds)}, expected classes of one type") from error
        return y

    def _learn_target(self, y: np.ndarray, weight: np.ndarray | None) -> None:
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y must have at least two classes in rows of a weight above 0, got {self.classes_.tolist()}"
            )

    def _described_target(self) -> dict[str, Any]:
        return {"classes": of_array(self.classes_)}

    def _take_up(self, described: Any) -> None:
        self.classes_ = array_of(described["classes"], (None,))
        if not np.array_equal(np.unique(self.classes_), self.classes_) or len(self.classes_) < 2:
            raise ValueError(f"classes must be sorted, each once and at least two, got {self.classes_.tolist()}")

    def _targets(self, y: np.ndarray) -> np.ndarray:
        if (y.dtype.kind in TEXT) != (self.classes_.dtype.kind in TEXT):
            raise ValueError(f"y_val holds {y.dtype}, expected classes as in y ({self.classes_.dtype})")
        found = np.searchsorted(self.classes_, y)
        unknown = self.classes_[np.minimum(found, len(self.classes_) - 1)] != y
        if unknown.any():
            raise ValueError(
                f"y_val has the class {y[unknown].tolist()[0]!r}, expected one of {self.classes_.tolist()}"
            )
        return found

    def _loss_weight(self, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray | None:
        if self.class_weight is None:
            return weight
        factors = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        weights: np.ndarray = factors[self._targets(y)]
        return weights if weight is None else weights * weight

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        counts, n_held_out = np.unique(y, return_counts=True)[1], math.ceil(self.validation_fraction * len(y))
        return y if counts.min() > 1 and len(counts) <= min(n_held_out, len(y) - n_held_out) else None

    @property
    def _width_of_output(self) -> int:
        return len(self.classes_)

    def _recipe(self) -> Recipe:
        return Recipe(
            self._hidden(), self.activation, "softmax", CrossEntropy(self.label_smoothing),
            self.learning_rate, self.batch_size, self.max_epochs,
        )  # fmt: skip
