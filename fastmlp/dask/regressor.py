"""`MLPRegressor`: one number or several for each row of a collection."""

from collections.abc import Sequence
from typing import Any, ClassVar

import dask.array as da
import distributed
from sklearn.base import _fit_context

from fastmlp import sklearn as local
from fastmlp.dask.base import OWN, ClusterMLP
from fastmlp.dask.blocks import Summary
from fastmlp.dask.scores import r2
from fastmlp.sklearn.base import BaseMLP
from fastmlp.sklearn.constraints import REGRESSOR


class MLPRegressor(ClusterMLP, local.MLPRegressor):
    """A regressor that the workers of a Dask cluster train on the partitions that they hold.

    The training is that of `fastmlp.dask.MLPClassifier`: local SGD, the averages weighted by rows.

    Parameters
    ----------
    loss, hidden_layer_sizes, activation
        As those of `fastmlp.sklearn.MLPRegressor`.
    client, sync_every, sync_unit
        As those of `MLPClassifier`.
    **parameters
        The other parameters of `fastmlp.sklearn.MLPRegressor`, by name, as for `MLPClassifier`. ``early_stopping``
        stops by R².

    Attributes
    ----------
    network_, partitions_, n_threads_, history_
        As those of `MLPClassifier`.
    """

    local_class: ClassVar[type[BaseMLP]] = local.MLPRegressor
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = REGRESSOR | OWN

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        client: distributed.Client | None = None,
        sync_every: int = 1,
        sync_unit: str = "epochs",
        **parameters: Any,
    ) -> None:
        self.client, self.sync_every, self.sync_unit = client, sync_every, sync_unit
        super().__init__(loss, hidden_layer_sizes, activation, **parameters)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> "MLPRegressor":
        """Train on the partitions of X and y.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame (n, n_features)
            Samples; all columns in one chunk.
        y : dask.array.Array, dask.dataframe.Series or DataFrame (n,) or (n, n_outputs)
            Numbers, in the partitions of X; at least 0 for the loss "poisson".
        sample_weight : dask.array.Array or dask.dataframe.Series (n,), optional
            Weight of each row in the cost.
        X_val, y_val, sample_weight_val : as X, y and sample_weight, optional
            Rows to validate on, which the workers keep too.

        Returns
        -------
        MLPRegressor
            The estimator itself.

        Raises
        ------
        ValueError, TypeError, RuntimeError
            As for `MLPClassifier.fit`.
        """
        self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))
        return self

    def predict(self, X: Any) -> da.Array:
        """Return the number of each row, or its numbers, lazily.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame (n, n_features)
            Samples.

        Returns
        -------
        dask.array.Array (n,) or (n, n_outputs)
            In the dtype of `network_`.
        """
        fitted = hasattr(self, "network_")
        width, dtype = (self.n_outputs_, self.network_.dtype) if fitted else (1, None)
        return self._predicted("predict", X, None if width == 1 else width, dtype)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R² of the predictions; the workers sum it up at once.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        float
            At most 1; the mean over the outputs.
        """
        found, moments = self._scored(X, y, sample_weight)
        return r2(found.residuals, moments.spread)

    def _learn_targets(self, y: Any, summaries: Sequence[Summary], held_out: Sequence[Summary]) -> None:
        lowest = min(summary.lowest for summary in [*summaries, *held_out] if summary.lowest is not None)
        if self.loss == "poisson" and lowest < 0:
            raise ValueError(f"loss='poisson' needs y of at least 0, got {lowest}")
