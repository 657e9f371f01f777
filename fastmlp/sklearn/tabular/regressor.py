"""`TabularMLPRegressor`: a number, or several, for each row of a table."""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array, column_or_1d

from fastmlp.losses import SquaredError
from fastmlp.sklearn.tabular.base import BaseTabularMLP
from fastmlp.sklearn.tabular.constraints import REGRESSOR
from fastmlp.sklearn.tabular.plain import array_of, of_array
from fastmlp.sklearn.tabular.recipe import Recipe
from fastmlp.tables import target


class TabularMLPRegressor(RegressorMixin, BaseTabularMLP):
    """A regressor of tables as they come: with text, dates, gaps and columns of any scale, and without tuning.

    Columns are encoded, and networks trained, as by `TabularMLPClassifier`. Targets are standardised. Predictions lie
    within the range of the targets of `fit`.

    Parameters
    ----------
    n_ens, hidden_layer_sizes, activation, learning_rate, batch_size, max_epochs, random_state, threads, progress
        As for `TabularMLPClassifier`.
    validation_fraction : float
        Share of the rows that are held out. The networks go back to the last of the epochs at which their squared error
        was smallest. Of fewer than 50 rows, or with 0, none are held out; then the last epoch counts.

    Attributes
    ----------
    encoder_, networks_, histories_, target_name_, n_features_in_, feature_names_in_
        As of `TabularMLPClassifier`.
    target_mean_, target_scale_ : numpy.ndarray (n_outputs,)
        Of the targets of `fit`: the outputs of the networks times the scale plus the mean are predictions.
    target_range_ : numpy.ndarray (2, n_outputs)
        The smallest and the largest target of `fit`.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = REGRESSOR
    target_mean_: np.ndarray
    target_scale_: np.ndarray
    target_range_: np.ndarray

    def __init__(
        self,
        *,
        n_ens: int = 1,
        hidden_layer_sizes: Any = (256, 256, 256),
        activation: str = "mish",
        learning_rate: float = 0.07,
        batch_size: int = 256,
        max_epochs: int = 256,
        validation_fraction: float = 0.2,
        random_state: Any = None,
        threads: int | None = None,
        progress: bool | None = False,
    ) -> None:
        self._store(locals())

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted number of each row, or the predicted numbers.

        Parameters
        ----------
        X : frame or array-like (n, n_features)
            With the columns of `fit`, in their order.

        Returns
        -------
        numpy.ndarray (n,) or (n, n_outputs)
            float64.

        Raises
        ------
        ValueError, TypeError
            A column is missing, is new, or holds what it did not hold in training.
        """
        numbers = self._outputs(X) * self.target_scale_ + self.target_mean_
        found: np.ndarray = np.clip(numbers, *self.target_range_)
        return found[:, 0] if self._one_dimensional else found

    def _checked_target(self, y: np.ndarray) -> np.ndarray:
        y = check_array(target.numbers(y), ensure_2d=False, dtype=np.float64, input_name="y", estimator=self)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return y

    def _learn_target(self, y: np.ndarray, weight: np.ndarray | None) -> None:
        self._one_dimensional = y.ndim == 1
        columns = y.reshape(len(y), -1)
        self.target_range_ = np.stack([columns.min(axis=0), columns.max(axis=0)])
        with np.errstate(over="ignore", invalid="ignore"):
            self.target_mean_ = np.average(columns, axis=0, weights=weight)
            scale = np.sqrt(np.average((columns - self.target_mean_) ** 2, axis=0, weights=weight))
        if not np.isfinite(scale).all():
            raise ValueError(f"y must have a finite variance, got numbers from {columns.min()} to {columns.max()}")
        self.target_scale_ = np.where(scale > 0, scale, 1.0)

    def _described_target(self) -> dict[str, Any]:
        numbers = {name: of_array(getattr(self, f"target_{name}_")) for name in ("mean", "scale", "range")}
        return {"one_dimensional": self._one_dimensional, **numbers}

    def _take_up(self, described: Any) -> None:
        n = len(described["mean"]["values"])
        self.target_mean_ = array_of(described["mean"], (n,))
        self.target_scale_ = array_of(described["scale"], (n,))
        self.target_range_ = array_of(described["range"], (2, n))
        self._one_dimensional = bool(described["one_dimensional"])
        low, high = self.target_range_
        if not (self.target_scale_ > 0).all() or not (low <= high).all() or (self._one_dimensional and n > 1):
            raise ValueError(f"expected scales above 0 and lowest and highest targets, got {described}")

    def _targets(self, y: np.ndarray) -> np.ndarray:
        columns = y.reshape(len(y), -1)
        if columns.shape[1] != self._width_of_output:
            raise ValueError(f"y_val must have {self._width_of_output} columns, as y has, got {columns.shape[1]}")
        found: np.ndarray = (columns - self.target_mean_) / self.target_scale_
        return found

    @property
    def _width_of_output(self) -> int:
        return len(self.target_scale_)

    def _recipe(self) -> Recipe:
        return Recipe(
            self._hidden(), self.activation, "identity", SquaredError(),
            self.learning_rate, self.batch_size, self.max_epochs,
        )  # fmt: skip

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
