"""`MLPClassifier`: one class of several for each row of a collection."""

from collections.abc import Sequence
from typing import Any, ClassVar

import dask.array as da
import distributed
import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import compute_class_weight

from fastmlp import sklearn as local
from fastmlp.dask.base import OWN, ClusterMLP
from fastmlp.dask.blocks import Summary
from fastmlp.sklearn.base import BaseMLP
from fastmlp.sklearn.constraints import CLASSIFIER


class MLPClassifier(ClusterMLP, local.MLPClassifier):
    """A classifier that the workers of a Dask cluster train on the partitions that they hold.

    Local SGD: every worker trains a copy of the network on its own rows; every `sync_every` epochs the parameters and
    the optimizer's moments of all copies are averaged, weighted by rows (Stich, "Local SGD Converges Fast and
    Communicates Little", ICLR 2019; McMahan et al., "Communication-Efficient Learning of Deep Networks from
    Decentralized Data", AISTATS 2017; Yu, Jin and Yang, "On the Linear Speedup Analysis of Communication Efficient
    Momentum SGD for Distributed Non-Convex Optimization", ICML 2019).

    The partitions of a persisted collection are trained on where they are. Those of a collection that is not computed
    yet are dealt to the workers in runs of neighbours. The same partitions, put together in the same way
    (`partitions_`), give the same bits for the same ``random_state``, at any number of threads. A worker that dies is
    replaced: others compute its partitions again, and go on from the last average to the same bits.

    Parameters
    ----------
    hidden_layer_sizes, activation
        As those of `fastmlp.sklearn.MLPClassifier`.
    client : distributed.Client, optional
        Default: the client that was made last.
    sync_every : int
        After how many epochs, or steps, the copies are averaged.
    sync_unit : {"epochs", "steps"}
        Which of the two. With steps there is also an average at the end of every epoch.
    **parameters
        The other parameters of `fastmlp.sklearn.MLPClassifier`, by name. The solver is "adam" or "sgd". ``batch_size``
        is that of each worker. ``early_stopping`` needs ``X_val`` and ``y_val``, and stops by their accuracy.
        ``warm_start`` and ``metric`` are refused. ``callbacks`` are called by the client after each average.
        ``threads`` is the largest number for each worker, which has no more than its ``nthreads``.

    Attributes
    ----------
    network_ : MLP
        The average of the copies.
    partitions_ : list of list of int
        The numbers of the partitions that were trained on together, a list for each copy.
    n_threads_ : int
        Of all workers.
    classes_ : numpy.ndarray (n_classes,)
        In all partitions, sorted.
    history_ : History
        A record for each epoch. Its step is one of every worker; costs are means weighted by rows.
    """

    local_class: ClassVar[type[BaseMLP]] = local.MLPClassifier
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CLASSIFIER | OWN

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        client: distributed.Client | None = None,
        sync_every: int = 1,
        sync_unit: str = "epochs",
        **parameters: Any,
    ) -> None:
        self.client, self.sync_every, self.sync_unit = client, sync_every, sync_unit
        super().__init__(hidden_layer_sizes, activation, **parameters)

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
    ) -> "MLPClassifier":
        """Train on the partitions of X and y.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame (n, n_features)
            Samples; all columns in one chunk.
        y : dask.array.Array, dask.dataframe.Series or DataFrame (n,) or (n, 1)
            Classes of any kind, in the partitions of X.
        sample_weight : dask.array.Array or dask.dataframe.Series (n,), optional
            Weight of each row in the cost.
        X_val, y_val, sample_weight_val : as X, y and sample_weight, optional
            Rows to validate on, which the workers keep too.

        Returns
        -------
        MLPClassifier
            The estimator itself.

        Raises
        ------
        ValueError, TypeError
            Parameters or data are not what they must be; the estimator is unchanged.
        RuntimeError
            Workers died again and again, data were lost for good, or there is no worker. If that was in the training,
            `network_` is the last average.
        """
        self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))
        return self

    def predict(self, X: Any) -> da.Array:
        """Return the class of each row, lazily.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame (n, n_features)
            Samples.

        Returns
        -------
        dask.array.Array (n,)
            Elements of `classes_`.
        """
        return self._predicted("predict", X, None, getattr(self, "classes_", np.empty(0)).dtype)

    def predict_proba(self, X: Any) -> da.Array:
        """Return the probability of each class, in the order of `classes_`, lazily.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame (n, n_features)
            Samples.

        Returns
        -------
        dask.array.Array (n, n_classes)
            In the dtype of `network_`.
        """
        return self._proba("predict_proba", X)

    def predict_log_proba(self, X: Any) -> da.Array:
        """Return the logarithm of `predict_proba`, lazily.

        Parameters
        ----------
        X : dask.array.Array or dask.dataframe.DataFrame (n, n_features)
            Samples.

        Returns
        -------
        dask.array.Array (n, n_classes)
            Natural logarithms.
        """
        return self._proba("predict_log_proba", X)

    def _proba(self, method: str, X: Any) -> da.Array:
        fitted = hasattr(self, "network_")
        width, dtype = (max(len(self.classes_), 2), self.network_.dtype) if fitted else (1, None)
        return self._predicted(method, X, width, dtype)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of rows whose predicted class is `y`; the workers count them at once.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        float
            From 0 to 1.
        """
        found, _ = self._scored(X, y, sample_weight)
        return float(found.right / found.weight)

    def _learn_targets(self, y: Any, summaries: Sequence[Summary], held_out: Sequence[Summary]) -> None:
        self.classes_ = _union(summaries)
        self._multilabel = self._sparse_labels = False
        if isinstance(self.class_weight, dict):
            compute_class_weight(self.class_weight, classes=self.classes_, y=self.classes_)
        unknown = np.setdiff1d(_union(held_out), self.classes_) if held_out else self.classes_[:0]
        if len(unknown):
            raise ValueError(f"`y_val` has classes not in `self.classes_`: {self.classes_}, y_val has {unknown}.")

    def _worker_parameters(self, summaries: Sequence[Summary]) -> dict[str, Any]:
        found = super()._worker_parameters(summaries)
        if self.class_weight != "balanced":
            return found
        counts = sum(
            (summary.counts * (self.classes_[:, None] == summary.classes)).sum(axis=1) for summary in summaries
        )
        balanced = np.sum(counts) / (len(self.classes_) * counts)
        return found | {"class_weight": dict(zip(self.classes_.tolist(), balanced.tolist(), strict=True))}


def _union(summaries: Sequence[Summary]) -> np.ndarray:
    return np.unique(np.concatenate([summary.classes for summary in summaries if summary.classes is not None]))
