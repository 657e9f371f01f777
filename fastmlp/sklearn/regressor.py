"""`MLPRegressor`: one number or several numbers for each row."""

import os
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if

from fastmlp import losses
from fastmlp.batchnorm import BatchNorm
from fastmlp.schedules import Schedule
from fastmlp.sklearn.base import BaseMLP, can_go_on
from fastmlp.sklearn.constraints import REGRESSOR
from fastmlp.sklearn.dataset import ScoredDataset

LOSSES = {
    "squared_error": losses.SquaredError,
    "absolute_error": losses.AbsoluteError,
    "huber": losses.Huber,
    "poisson": losses.Poisson,
}


class MLPRegressor(RegressorMixin, BaseMLP):
    """A regressor that takes the place of ``sklearn.neural_network.MLPRegressor``.

    The parameters up to `max_fun` have the names, defaults and meanings of scikit-learn 1.9. So do the fitted
    attributes and the methods. The same ``random_state`` gives the same initial weights, the same held-out rows and the
    same order of rows. Data of float32 are trained in float32, all other data in float64. The solver "lbfgs" always
    computes in float64. Arrays of integers are not converted. Sparse matrices are made dense a mini-batch at a time.

    Parameters
    ----------
    loss : {"squared_error", "poisson", "absolute_error", "huber"}
        The first two are scikit-learn's. "huber" is quadratic up to an error of 1, and linear above it.
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, \
shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, \
beta_1, beta_2, epsilon, n_iter_no_change, max_fun
        As scikit-learn's; `activation` may also be "leaky_relu", "gelu", "silu", "selu" or "mish".
    batch_norm, dropout, clip_norm, weight_decay, callbacks, schedule
        As for `MLPClassifier`.
    metric : str or callable, optional
        Scorer of the validation rows, as in ``sklearn.metrics.get_scorer``; default: R².
    matmul_precision, checkpoint, checkpoint_epochs, checkpoint_seconds, threads, progress
        As for `MLPClassifier`.

    Attributes
    ----------
    network_, history_, n_threads_
        As for `MLPClassifier`.
    loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_, t_, coefs_, intercepts_, \
n_features_in_, feature_names_in_, n_iter_, n_layers_, n_outputs_, out_activation_
        As scikit-learn's. The scores also exist if ``fit`` was given validation rows. With several outputs the loss is
        the mean over the outputs, except for "poisson", where it is the sum.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = REGRESSOR

    def __init__(
        self,
        loss: str = "squared_error",
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
    ) -> "MLPRegressor":
        """Train on X and y.

        Parameters
        ----------
        X : array-like or sparse matrix (n, n_features)
            Samples.
        y : array-like (n,) or (n, n_outputs)
            Targets. The loss "poisson" needs targets of at least 0.
        sample_weight : array-like (n,), optional
            Weight of each row in the cost.
        X_val, y_val, sample_weight_val : array-like, optional
            Validation rows. `history_` and `validation_scores_` have their figures. With ``early_stopping`` they decide
            when to stop. Without them, early stopping holds out a part of X.

        Returns
        -------
        MLPRegressor
            The estimator itself.
        """
        self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))
        return self

    @available_if(can_go_on)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MLPRegressor":
        """Train for one more epoch.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        MLPRegressor
            The estimator itself.
        """
        self._fit(X, y, sample_weight, (None, None, None), incremental=True)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted number of each row, or the predicted numbers.

        Parameters
        ----------
        X : array-like or sparse matrix (n, n_features)
            Samples.

        Returns
        -------
        numpy.ndarray (n,) or (n, n_outputs)
            In the dtype of `network_`.
        """
        return self._numbers(self._outputs(X))

    def _numbers(self, outputs: np.ndarray) -> np.ndarray:
        return outputs[:, 0] if self.n_outputs_ == 1 else outputs

    def _learn_target(self, y: Any, *, incremental: bool) -> Any:
        return self._known_target(y)

    def _known_target(self, y: Any) -> Any:
        if self.loss == "poisson" and y.min() < 0:
            raise ValueError(f"loss='poisson' needs y of at least 0, got {y.min()}")
        return y

    def _output(self, y: Any) -> tuple[int, str]:
        return 1 if y.ndim == 1 else y.shape[1], "exp" if self.loss == "poisson" else "identity"

    def _targets(self, y: Any, dtype: np.dtype) -> np.ndarray:
        if np.abs(y).max() > np.finfo(dtype).max:
            raise ValueError(f"y must be finite in {dtype}, the dtype of X, got {np.abs(y).max()}")
        targets = np.ascontiguousarray(y.reshape(len(y), -1), dtype)
        if targets.shape[1] != self.n_outputs_:
            raise ValueError(f"y must have {self.n_outputs_} columns, got {targets.shape[1]}")
        return targets

    def _cost(self) -> Any:
        return LOSSES[self.loss]()

    def _outputs_in_mean(self) -> int:
        return 1 if self.loss == "poisson" else int(self.n_outputs_)

    def _default_score(self, held_out: ScoredDataset) -> float:
        numbers = self._numbers(self.network_.outputs(held_out.x, threads=self.n_threads_))
        if not np.isfinite(numbers).all():
            return float("nan")
        return float(r2_score(held_out.y, numbers, sample_weight=held_out.weights))
