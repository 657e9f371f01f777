"""The base class of the classifier and the regressor: it checks arguments, trains a network, and computes outputs."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.utils import assert_all_finite, check_random_state, column_or_1d
from sklearn.utils.validation import _check_sample_weight, validate_data

from fastmlp.history import History
from fastmlp.inputs import checks, samples
from fastmlp.sklearn import workers
from fastmlp.sklearn.callbacks import Listeners
from fastmlp.sklearn.dataset import ScoredDataset, hold_out, is_given
from fastmlp.sklearn.network import Arrays, build
from fastmlp.sklearn.solvers import NOT_FINITE, EstimatorWithSolvers

FLOATS = (np.float64, np.float32)  # scikit-learn's checks convert all other types to float64
FEW_ROWS = 64  # for so few rows, a prediction takes less time than scikit-learn's checks of the input


class BaseMLP(EstimatorWithSolvers):
    """An estimator with its parameters as attributes and a network inside."""

    out_activation_: str

    def _store(self, parameters: Mapping[str, Any]) -> None:
        for name, value in parameters.items():
            if name != "self":
                setattr(self, name, value)

    @abstractmethod
    def _learn_target(self, y: Any, *, incremental: bool) -> Any:
        """Take the classes from `y`, or check `y` against the classes of the fit that goes on; return `y`."""

    @abstractmethod
    def _known_target(self, y: Any) -> Any:
        """Check `y` against the classes of the fit; return `y`."""

    @abstractmethod
    def _targets(self, y: Any, dtype: np.dtype) -> np.ndarray:
        """Return `y` in the form that the engine takes."""

    @abstractmethod
    def _output(self, y: Any) -> tuple[int, str]:
        """Return the number of outputs and the name of the output function."""

    def _loss_weight(self, y: Any, sample_weight: np.ndarray | None) -> np.ndarray | None:
        """Return the weights of the rows in the cost."""
        return sample_weight

    def _stratify(self, y: Any) -> np.ndarray | None:
        """Return the classes by which the held-out rows are drawn."""
        return None

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any], *, incremental: bool = False
    ) -> None:
        self._check_parameters(incremental)
        anew = not hasattr(self, "network_") or not (self.warm_start or incremental)
        y_passed = y
        x, y = self._validated(X, y, reset=anew)
        y = self._learn_target(y, incremental=incremental)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, x, dtype=np.float64)
        rng = check_random_state(self.random_state)
        n_outputs, output = self._output(y)
        widths = [x.shape[1], *self._hidden_widths(), n_outputs]
        if anew:
            self._begin(widths, output, x.dtype, rng)
        else:
            self._check_network(widths, output)
        data = self._rows(x, y, self._loss_weight(y, weight))
        held_out = self._validation(validation)
        self.n_threads_ = workers.threads(self.threads)
        listeners = Listeners(self, X, y_passed, sample_weight, 1 if incremental else self.max_iter)
        if self.solver == "lbfgs":
            self._minimise(data, held_out, listeners)
        else:
            if self.early_stopping and held_out is None:
                data, held_out = hold_out(data, self.validation_fraction, self._stratify(y), weight, rng)
            self._run_epochs(data, held_out, listeners, rng, anew, incremental)
        listeners.fit_ended()
        if not self.network_.is_finite():
            raise ValueError(NOT_FINITE)

    def _begin(self, widths: list[int], output: str, x_dtype: np.dtype, rng: np.random.RandomState) -> None:
        # L-BFGS computes in float64, as SciPy does: with costs rounded to float32, SciPy's line search ends early
        single = self.solver != "lbfgs" and (x_dtype == np.float32 or self.matmul_precision == "bfloat16")
        self.network_ = build(
            widths,
            output,
            np.dtype(np.float32 if single else np.float64),
            rng,
            activation=self.activation,
            dropout=self.dropout,
            batch_norm=self.batch_norm,
        )
        self.n_outputs_, self.out_activation_, self.n_layers_ = widths[-1], output, len(widths)
        self.n_iter_ = self.t_ = 0
        self.history_ = History()
        if hasattr(self, "_optimizer"):
            del self._optimizer

    def _check_network(self, widths: list[int], output: str) -> None:
        net = self.network_
        known, asked = (net.widths, net.activation, net.output), (tuple(widths), self.activation, output)
        if known != asked:
            raise ValueError(f"training goes on with a network of {known}, the parameters and y ask for {asked}")

    def _hidden_widths(self) -> list[int]:
        sizes = self.hidden_layer_sizes
        widths = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
        if any(width <= 0 for width in widths):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {widths}.")
        return widths

    def _check_parameters(self, incremental: bool) -> None:
        """Raise where parameters exclude each other."""
        checks.functions("callbacks", self.callbacks)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        if self.weight_decay and self.solver != "adam":
            raise ValueError(
                f"weight_decay={self.weight_decay} needs solver='adam', got {self.solver!r}; alpha is the L2 decay"
            )
        if self.checkpoint is not None and (incremental or self.warm_start or self.solver == "lbfgs"):
            raise ValueError(
                f"checkpoint={str(self.checkpoint)!r} needs fit, warm_start=False and solver='sgd' or 'adam', got "
                f"{'partial_fit' if incremental else 'fit'}, {self.warm_start} and {self.solver!r}"
            )
        if self.solver == "lbfgs" and self.matmul_precision != "float32":
            raise ValueError(f"matmul_precision={self.matmul_precision!r} needs solver='sgd' or 'adam', got 'lbfgs'")
        if self.solver == "lbfgs":
            for name in ("batch_norm", "dropout", "clip_norm", "schedule"):
                value = getattr(self, name)
                if np.any(value):
                    raise ValueError(f"{name}={value!r} needs solver='sgd' or 'adam', got 'lbfgs'")

    def _validated(self, X: Any, y: Any = "no_validation", *, reset: bool, finite: bool = True) -> Any:
        """Return X, or X and y, checked by scikit-learn. Arrays of integers are not converted."""
        dtype = "numeric" if isinstance(X, np.ndarray) and X.dtype.kind in "iub" else FLOATS
        options = {"accept_sparse": "csr", "dtype": dtype, "reset": reset}
        if isinstance(y, str):
            return validate_data(self, X, ensure_all_finite=finite, **options)
        x, y = validate_data(self, X, y, multi_output=True, y_numeric=is_regressor(self), **options)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return x, y

    def _rows(self, x: Any, y: Any, weight: np.ndarray | None) -> ScoredDataset:
        net = self.network_
        x = samples.matrix("X", x, net.n_inputs)
        if x.dtype != net.dtype:  # scikit-learn has looked for NaN and infinity before the conversion to this dtype
            samples.finite("X", x, net.dtype)
        return ScoredDataset(x, self._targets(y, net.dtype), weight, y=y)

    def _validation(self, validation: tuple[Any, Any, Any]) -> ScoredDataset | None:
        if not is_given(*validation):
            return None
        X, y, sample_weight = validation
        x, y = self._validated(X, y, reset=False)
        y = self._known_target(y)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, x, dtype=np.float64)
        return self._rows(x, y, weight)

    def _outputs(self, X: Any) -> np.ndarray:
        """Return the outputs ``(n, n_outputs)`` of the network."""
        if not hasattr(self, "network_"):
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments before "
                "using this estimator."
            )
        if not self._is_plain(X):
            X = self._validated(X, reset=False, finite=False)
        few = X.shape[0] <= FEW_ROWS
        try:
            return self.network_.outputs(X, threads=1 if few else workers.threads(self.threads))
        except ValueError:
            assert_all_finite(X, estimator_name=type(self).__name__, input_name="X")
            raise

    def _is_plain(self, X: Any) -> bool:
        """Whether scikit-learn's checks, which take longer than a small network, could find only NaN and infinity."""
        return (
            type(X) is np.ndarray
            and X.dtype in FLOATS
            and X.ndim == 2
            and len(X) > 0
            and X.shape[1] == self.n_features_in_
            and not hasattr(self, "feature_names_in_")
        )

    @property
    def coefs_(self) -> Arrays:
        """The weights ``(n_in, n_out)`` of each layer. Writing into them changes the network."""
        return Arrays(self.network_.weights)

    @coefs_.setter
    def coefs_(self, values: Any) -> None:
        self.coefs_[:] = values

    @property
    def intercepts_(self) -> Arrays:
        """The biases ``(n_out,)`` of each layer. Writing into them changes the network."""
        return Arrays(self.network_.biases)

    @intercepts_.setter
    def intercepts_(self, values: Any) -> None:
        self.intercepts_[:] = values

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def can_go_on(estimator: BaseMLP) -> bool:
    """Whether the solver has a ``partial_fit``."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit needs solver='sgd' or 'adam', got 'lbfgs', which sees all rows at once")
    return True
