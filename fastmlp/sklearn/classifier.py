"""`MLPClassifier`: for each row one of several classes, one of two classes, or several labels."""

import os
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils.metaestimators import available_if

from fastmlp.batchnorm import BatchNorm
from fastmlp.schedules import Schedule
from fastmlp.sklearn.base import can_go_on
from fastmlp.sklearn.constraints import CLASSIFIER
from fastmlp.sklearn.labels import LabelledMLP


class MLPClassifier(ClassifierMixin, LabelledMLP):
    """A classifier that takes the place of ``sklearn.neural_network.MLPClassifier``.

    The parameters up to `max_fun` have the names, defaults and meanings of scikit-learn 1.9. So do the fitted
    attributes and the methods. The same ``random_state`` gives the same initial weights, the same held-out rows and the
    same order of rows. Data of float32 are trained in float32, all other data in float64. The solver "lbfgs" always
    computes in float64. Arrays of integers are not converted. Sparse matrices are made dense a mini-batch at a time.

    Parameters
    ----------
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, \
shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, \
beta_1, beta_2, epsilon, n_iter_no_change, max_fun
        As scikit-learn's; `activation` may also be "leaky_relu", "gelu", "silu", "selu" or "mish".
    class_weight : dict or "balanced", optional
        Weight of the rows of each class in the cost, by label. It is multiplied by their ``sample_weight``. "balanced"
        gives all classes the same total weight. Scores of validation rows are not weighted by it. Only for targets with
        one label for each row.
    label_smoothing : float
        Share of the target spread over all classes, at least 0 and below 1.
    batch_norm : bool or BatchNorm
        Batch norm of the hidden layers; True stands for ``BatchNorm()``. `batch_norm`, `dropout`, `clip_norm` and
        `schedule` need mini-batches, so the solver "sgd" or "adam".
    dropout : float or sequence of float
        Rate of dropped hidden outputs, one for all hidden layers or one for each.
    clip_norm : float, optional
        Largest norm of a step's gradient.
    weight_decay : float
        Decoupled decay (AdamW), for the solver "adam". It acts in addition to `alpha`, the L2 part of the cost.
    callbacks : list of callable
        Each is called as ``callback(self, record)`` after every epoch. A callback that returns True ends the training.
    schedule : Schedule, optional
        A schedule from `fastmlp.schedules`, in place of `learning_rate` and `learning_rate_init`. It covers `max_iter`
        epochs.
    metric : str or callable, optional
        Scorer of the validation rows, as in ``sklearn.metrics.get_scorer``; default: accuracy.
    matmul_precision : {"float32", "bfloat16"}
        "bfloat16" trains in float32, whatever the dtype of the data, and rounds the operands of the matrix products to
        bfloat16 (see `fastmlp.train`). Not for "lbfgs". Predictions are in float32.
    checkpoint, checkpoint_epochs, checkpoint_seconds
        As for `fastmlp.train`: a file from which the same ``fit`` goes on after its process has ended, to the same
        bits. Needs ``random_state``; not for "lbfgs", ``warm_start`` and ``partial_fit``.
    threads : int, optional
        Number of threads. Default: all cores that the process may use, but 1 in a worker of joblib, dask or a process
        pool.
    progress : bool, optional
        Show a progress bar. None shows it on a terminal only.

    Attributes
    ----------
    network_ : MLP
        The network. `coefs_` and `intercepts_` are its arrays: writing into them changes the predictions.
    history_ : History
        A record for each epoch. After ``warm_start`` or ``partial_fit`` it has the epochs of all calls. ``cost`` and
        ``val_cost`` have the same definition as `loss_`. ``stopped_because`` is "converged" if the training loss no
        longer fell.
    n_threads_ : int
        Largest number of threads of the last fit.
    classes_, loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_, t_, coefs_, intercepts_, \
n_features_in_, feature_names_in_, n_iter_, n_layers_, n_outputs_, out_activation_
        As scikit-learn's. The scores also exist if ``fit`` was given validation rows.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CLASSIFIER
    loss = "log_loss"  # scikit-learn's name for it, no parameter

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        class_weight: dict[Any, float] | str | None = None,
        label_smoothing: float = 0.0,
        batch_norm: bool | BatchNorm = False,
        dropout: float | Sequence[float] = 0.0,
        clip_norm: float | None = None,
        weight_decay: float = 0.0,
        callbacks: Sequence[Any] = (),
        schedule: Schedule | None = None,
        metric: Any = None,
        matmul_precision: str = "float32",
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_epochs: int = 1,
        checkpoint_seconds: float | None = None,
        threads: int | None = None,
        progress: bool | None = False,
    ) -> None:
        self._store(locals())

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
        """Train on X and y.

        Parameters
        ----------
        X : array-like or sparse matrix (n, n_features)
            Samples.
        y : array-like (n,) or (n, n_labels)
            Classes of any kind, or 0 and 1 for each label.
        sample_weight : array-like (n,), optional
            Weight of each row in the cost.
        X_val, y_val, sample_weight_val : array-like, optional
            Validation rows. `history_` and `validation_scores_` have their figures. With ``early_stopping`` they decide
            when to stop. Without them, early stopping holds out a part of X.

        Returns
        -------
        MLPClassifier
            The estimator itself.
        """
        self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))
        return self

    @available_if(can_go_on)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> "MLPClassifier":
        """Train for one more epoch.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like, optional
            All classes that any call will get. The first call needs them.

        Returns
        -------
        MLPClassifier
            The estimator itself.
        """
        if self.class_weight == "balanced":
            raise ValueError("class_weight='balanced' needs fit, which sees all rows; partial_fit takes a dict")
        self._announce_classes(classes, y)
        self._fit(X, y, sample_weight, (None, None, None), incremental=True)
        return self

    def predict(self, X: Any) -> Any:
        """Return the class of each row, or 0 and 1 for each label: 1 where its probability is above 0.5.

        Parameters
        ----------
        X : array-like or sparse matrix (n, n_features)
            Samples.

        Returns
        -------
        numpy.ndarray (n,) or (n, n_labels)
            Elements of `classes_`, or 0 and 1 for each label, in a sparse matrix if the labels of ``fit`` were one.
        """
        labels = self._labels(self._outputs(X))
        return sparse.csr_matrix(labels) if self._sparse_labels else labels

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, in the order of `classes_`, or of each label.

        Parameters
        ----------
        X : array-like or sparse matrix (n, n_features)
            Samples.

        Returns
        -------
        numpy.ndarray (n, n_classes) or (n, n_labels)
            In the dtype of `network_`.
        """
        outputs = self._outputs(X)
        return np.hstack([1 - outputs, outputs]) if self.n_outputs_ == 1 else outputs

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of `predict_proba`.

        Parameters
        ----------
        X : array-like or sparse matrix (n, n_features)
            Samples.

        Returns
        -------
        numpy.ndarray (n, n_classes) or (n, n_labels)
            Natural logarithms.
        """
        proba = self.predict_proba(X)
        logarithms: np.ndarray = np.log(proba, out=proba)
        return logarithms

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
