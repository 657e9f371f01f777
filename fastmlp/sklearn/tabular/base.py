"""The base class of the estimators for tables: it reads, encodes and holds out rows, and trains the networks."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from fastmlp import storage
from fastmlp.history import History
from fastmlp.mlp import MLP
from fastmlp.network.parameters import named
from fastmlp.sklearn import workers
from fastmlp.sklearn.dataset import is_given
from fastmlp.sklearn.tabular import plain
from fastmlp.sklearn.tabular.recipe import Recipe
from fastmlp.system.version import VERSION
from fastmlp.system.warning import warn
from fastmlp.tables import frames, target
from fastmlp.tables.column import Table
from fastmlp.tables.encoder import Encoder

FEWEST_ROWS = 50  # of a table of which some are held out
ROWS_AT_A_TIME = 1 << 16  # that a prediction encodes


class BaseTabularMLP(BaseEstimator, ABC):
    """An estimator with its parameters as attributes, an encoder and networks inside."""

    encoder_: Encoder
    target_name_: str | None
    networks_: list[MLP]
    histories_: list[History]

    def _store(self, parameters: Mapping[str, Any]) -> None:
        for name, value in parameters.items():
            if name != "self":
                setattr(self, name, value)

    @abstractmethod
    def _learn_target(self, y: np.ndarray, weight: np.ndarray | None) -> None:
        """Take from the rows of `fit` what predictions need of the target."""

    @abstractmethod
    def _checked_target(self, y: Any) -> np.ndarray:
        """Return `y` without gaps, of a dtype and shape that the estimator takes."""

    @abstractmethod
    def _targets(self, y: np.ndarray) -> np.ndarray:
        """Return `y` in the form that the engine takes."""

    @abstractmethod
    def _recipe(self) -> Recipe:
        """Return how the networks are trained."""

    @abstractmethod
    def _described_target(self) -> dict[str, Any]:
        """Return what `_learn_target` learned as values of JSON."""

    @abstractmethod
    def _take_up(self, described: Any) -> None:
        """Take from a file what `_described_target` returned."""

    @property
    @abstractmethod
    def _width_of_output(self) -> int:
        """The number of the network's outputs."""

    def _hidden(self) -> tuple[int, ...]:
        sizes = self.hidden_layer_sizes
        return tuple(sizes) if hasattr(sizes, "__iter__") else (sizes,)

    def _loss_weight(self, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray | None:
        """Return the weights of training rows in the cost."""
        return weight

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        """Return the classes of which the held-out rows have the same shares; None where there are none."""
        return None

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
    ) -> Self:
        """Learn the encoding of the columns, and train the networks.

        Parameters
        ----------
        X : frame or array-like (n, n_features)
            A frame of pandas, polars or pyarrow, or an array. Values may be missing.
        y : array-like (n,), or (n, n_outputs) for the regressor
            Classes of any kind for the classifier, numbers for the regressor; none missing.
        sample_weight : array-like (n,), optional
            Weight of each row, at least 0; rows of weight 0 are left out.
        X_val, y_val, sample_weight_val : optional
            Held-out rows of your own, in place of `validation_fraction`.

        Returns
        -------
        TabularMLPClassifier or TabularMLPRegressor
            The estimator itself.

        Raises
        ------
        ValueError, TypeError
            `fastmlp.guide.tables` lists what is refused. An estimator that was fitted before stays as it was.
        """
        before = dict(vars(self))
        try:
            self._learn(X, y, sample_weight, (X_val, y_val, sample_weight_val))
        except BaseException:  # an estimator that was fitted before stays as it was
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        return self

    def _learn(self, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any]) -> None:
        name = getattr(y, "name", None)  # of a column of a frame
        table, y, weight = self._rows(X, y, sample_weight, reset=True)
        self.target_name_ = None if name in (None, "") else str(name)
        if table.n < 2:
            raise ValueError(f"fit needs at least two rows of a weight above 0, got n_samples={table.n}")
        self._learn_target(y, weight)
        rng = check_random_state(self.random_state)
        held_out, given = None, is_given(*validation)
        if not given and self.validation_fraction and table.n >= FEWEST_ROWS:
            rows = train_test_split(
                np.arange(table.n), test_size=self.validation_fraction, stratify=self._strata(y), random_state=rng
            )
            (table, y, weight), held_out = (
                (table.take(part), y[part], None if weight is None else weight[part]) for part in rows
            )
        self.encoder_ = Encoder.learned(table, weight)
        if given:
            held_out = self._rows(*validation, reset=False)
        rows = (self.encoder_(table), self._targets(y), self._loss_weight(y, weight))
        self._train(rows, None if held_out is None else self._encoded(*held_out), rng)

    def _train(self, rows: tuple[Any, Any, Any], validation: Any, rng: np.random.RandomState) -> None:
        recipe = self._recipe()
        seeds = [int(rng.randint(np.iinfo(np.int32).max)) for _ in range(self.n_ens)]
        widths = (self.encoder_.n_inputs, self._width_of_output)
        # so few rows take no time: with more digits, a row of weight 2 gives what two rows give
        nets = recipe.networks(*widths, seeds, "float64" if len(rows[0]) < FEWEST_ROWS else "float32")
        threads = workers.threads(self.threads)
        histories = recipe.train(nets, rows, validation, seeds, threads=threads, progress=self.progress)
        # Ctrl-C leaves networks that were not trained at all
        begun = [i for i, history in enumerate(histories) if history.records] or [0]
        self.networks_, self.histories_ = [nets[i] for i in begun], [histories[i] for i in begun]
        for net in self.networks_:
            net.feature_names = self.encoder_.inputs
        if any(history.stopped_because == "interrupted" for history in histories):
            warn("Training interrupted by user.")

    def _encoded(self, table: Table, y: np.ndarray, weight: np.ndarray | None) -> tuple[Any, ...]:
        rows = (self.encoder_(table), self._targets(y))
        return rows if weight is None else (*rows, weight)

    def _rows(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Table, np.ndarray, np.ndarray | None]:
        """Return rows of a weight above 0, with their targets and weights, checked."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        table = self._table(X, reset=reset)
        y = self._checked_target(target.plain(y))
        check_consistent_length(table.columns[0].values, y)
        if sample_weight is None:
            return table, y, None
        weight = _check_sample_weight(sample_weight, y, dtype=np.float64, ensure_non_negative=True)
        if not weight.any():  # scikit-learn before 1.9 does not say so
            raise ValueError("sample_weight must contain at least one non-zero number")
        rows = np.flatnonzero(weight)
        return table.take(rows), y[rows], weight[rows]

    def _table(self, X: Any, *, reset: bool) -> Table:
        known = () if reset else self.encoder_.known
        if frames.is_frame(X):
            frames.refuse_doubled(X)  # which are no names for scikit-learn
            table = frames.read(X) if reset else None  # a prediction hears first which names are missing
            validate_data(self, X, skip_check_array=True, reset=reset)
            return table or frames.read(X, known)
        if isinstance(X, (list, tuple)):
            X = np.array(X, object)
        X = check_array(X, dtype=None, ensure_all_finite=False, input_name="X", estimator=self)
        validate_data(self, X, skip_check_array=True, reset=reset)
        return frames.read(X, known)

    def _outputs(self, X: Any) -> np.ndarray:
        """Return the outputs ``(n, n_outputs)``, averaged over the networks."""
        check_is_fitted(self)
        table, threads = self._table(X, reset=False), workers.threads(self.threads)
        found = []
        for start in range(0, table.n, ROWS_AT_A_TIME):
            x = self.encoder_(table.part(start, start + ROWS_AT_A_TIME))
            found.append(np.mean([net.outputs(x, threads=threads) for net in self.networks_], axis=0))
        return np.concatenate(found)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the encoding and the networks to a safetensors file, which `fastmlp.sklearn.load` reads.

        Parameters
        ----------
        path : path-like
            The file; an earlier one is replaced whole or not at all.

        Raises
        ------
        OSError
            The file cannot be written.
        TypeError
            A class is no number, boolean or text.
        """
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        described = {
            "fastmlp": VERSION,
            "estimator": type(self).__name__,
            "parameters": plain.of_parameters(self.get_params(deep=False)),
            "feature_names": None if names is None else names.tolist(),
            "columns": self.encoder_.described(),
            "target_name": self.target_name_,
            "target": self._described_target(),
            "networks": [storage.description(net.network) for net in self.networks_],
        }
        arrays = [named(net.network.parameters.views) for net in self.networks_]
        numbered = {f"{i}.{name}": array for i, group in enumerate(arrays) for name, array in group.items()}
        storage.write(path, storage.TABLES, described, numbered)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "networks_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags
