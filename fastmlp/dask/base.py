"""What the classifier and the regressor of a cluster share: the way from collections to a trained network."""

import contextlib
import copy
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any, ClassVar

import dask.array as da
import distributed
import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from fastmlp.dask.blocks import Summary
from fastmlp.dask.crews import Crews
from fastmlp.dask.local_sgd import Training
from fastmlp.dask.partitions import Partitions, check_features, checked, is_frame, n_columns
from fastmlp.dask.predicting import predicted, scored
from fastmlp.dask.rounds import Rounds
from fastmlp.sklearn.base import BaseMLP
from fastmlp.sklearn.callbacks import Listeners
from fastmlp.sklearn.epochs import AUTO_BATCH
from fastmlp.sklearn.improvement import Improvement
from fastmlp.sklearn.update_rule import UpdateRule

OWN: dict[str, list[Any]] = {
    "sync_every": [Interval(Integral, 1, None, closed="left")],
    "sync_unit": [StrOptions({"epochs", "steps"})],
}
# on a cluster
POSSIBLE = {"solver": ("adam", "sgd"), "warm_start": (False,), "metric": (None,), "checkpoint": (None,)}
LEARNED = ("n_features_in_", "feature_names_in_", "classes_", "n_outputs_", "out_activation_")  # that workers need


class AtAverages(Listeners):
    """Listeners that see epochs behind which the network is the average of all members."""

    def epoch_begins(self) -> None:
        """Open the task of a round, unless it is open."""
        if self.epoch is None:
            super().epoch_begins()

    def epoch_ended(self, record: Any) -> bool:
        """Tell all of the epoch, if it ends a round."""
        return super().epoch_ended(record) if self.estimator._rounds.averaged else False


class ClusterMLP(BaseMLP):
    """An estimator of `fastmlp.sklearn` whose fit runs on the workers of a cluster, and whose predictions are lazy."""

    local_class: ClassVar[type[BaseMLP]]
    client: distributed.Client | None
    sync_every: int
    sync_unit: str
    partitions_: list[list[int]]
    _crews: Crews
    _rounds: Rounds

    @abstractmethod
    def _learn_targets(self, y: Any, summaries: Sequence[Summary], held_out: Sequence[Summary]) -> None:
        """Learn what the workers found in the targets, or raise."""

    def _worker_parameters(self, summaries: Sequence[Summary]) -> dict[str, Any]:
        """Return parameters that the workers' estimators have in place of this one's."""
        return {"callbacks": ()}

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return sorted([*cls.local_class._get_param_names(), "client", *OWN])

    @property
    def client_(self) -> distributed.Client:
        """The client that a fit uses: the parameter `client`, or the one that was made last.

        Raises
        ------
        ValueError, TypeError
            There is none, or it is asynchronous, or no client.
        """
        client = self.client
        if client is None:
            try:
                client = distributed.default_client()
            except ValueError:
                raise ValueError("a fit needs a cluster: make a distributed.Client first, or pass client=...") from None
        if not isinstance(client, distributed.Client):
            raise TypeError(f"client must be a distributed.Client, got {client!r} ({type(client).__name__})")
        if client.asynchronous:
            raise ValueError("client must not be asynchronous: fit waits for the workers")
        return client

    @property
    def partial_fit(self) -> Any:
        """There is none: every fit begins anew."""
        raise AttributeError("estimators of fastmlp.dask have no partial_fit; to_local() returns one that has")

    def to_local(self) -> Any:
        """Return the fitted estimator as one of `fastmlp.sklearn`, which shares nothing with this one.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            There was no fit.
        """
        if not hasattr(self, "network_"):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet: call 'fit' first.")
        own = {*self._get_param_names(), "partitions_", "_crews", "_rounds"}
        local = self.local_class(**self._local_parameters())
        local.__dict__.update(copy.deepcopy({name: value for name, value in vars(self).items() if name not in own}))
        return local

    def _local_parameters(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.local_class._get_param_names()}

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        return {name: value for name, value in state.items() if name not in ("_crews", "_rounds")} | {"client": None}

    def __sklearn_clone__(self) -> Any:
        new: Any = BaseEstimator.__sklearn_clone__(copy.copy(self))  # whose copy has no client
        new.client = self.client
        return new

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any], *, incremental: bool = False
    ) -> None:
        self._check_parameters(False)
        self._hidden_widths()
        self._refuse(validation)
        client = self.client_
        data, held_out = checked(X, y, sample_weight), _held_out(X, y, validation)
        rng = check_random_state(self.random_state)
        crews = None
        try:
            with self._as_before_on_error():
                self._learn_features(data.x)
                crews = Crews(client, data, held_out, self._for_workers({"callbacks": ()}), self.threads)
                self._prepare(crews, data.collections[1], rng)
            self._crews = crews
            self._train(AtAverages(self, X, y, sample_weight, self.max_iter), rng)
        finally:
            if crews is not None:
                crews.release()
            for name in ("_crews", "_rounds"):
                self.__dict__.pop(name, None)

    def _refuse(self, validation: tuple[Any, Any, Any]) -> None:
        """Raise where parameters ask for what there is not on a cluster."""
        for name, known in POSSIBLE.items():
            value = getattr(self, name)
            if value not in known:
                raise ValueError(f"{name} must be {' or '.join(map(repr, known))} on a cluster, got {value!r}")
        X, y, sample_weight = validation
        if (X is None or y is None) and not (X is None and y is None and sample_weight is None):
            missing = "X_val" if X is None else "y_val"
            raise ValueError(f"validation data are X_val and y_val, sample_weight_val if wanted; {missing} is missing")
        if self.early_stopping and X is None:
            raise ValueError(
                "early_stopping=True needs X_val and y_val on a cluster, as no rows are held out of the partitions"
            )

    @contextlib.contextmanager
    def _as_before_on_error(self) -> Iterator[None]:
        """Put all attributes back where the block raises."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _prepare(self, crews: Crews, y: Any, rng: np.random.RandomState) -> None:
        """Have the workers look through their blocks; learn what there is to know of them; make the network."""
        summaries, *others = crews.summaries(is_classifier(self))
        self._learn_targets(y, summaries, others[0] if others else [])
        columns = 1 if y.ndim == 1 else n_columns(y)
        n_outputs, output = self._output(np.empty(0) if columns == 1 else np.empty((0, columns)))
        single = all(summary.dtype == "float32" for summary in summaries)
        widths = [self.n_features_in_, *self._hidden_widths(), n_outputs]
        self._begin(widths, output, np.dtype(np.float32 if single else np.float64), rng)
        crews.prepare(self._for_workers(self._worker_parameters(summaries)), str(self.network_.dtype))
        members = crews.training.members
        self.partitions_ = [list(member.partitions) for member in members]
        self.n_threads_ = sum(member.threads for member in members)

    def _learn_features(self, X: Any) -> None:
        self.n_features_in_ = n_columns(X)
        names = list(X.columns) if is_frame(X) else []
        if names and all(isinstance(name, str) for name in names):
            self.feature_names_in_ = np.array(names, dtype=object)
        else:
            self.__dict__.pop("feature_names_in_", None)

    def _for_workers(self, parameters: dict[str, Any]) -> BaseMLP:
        """Return an estimator without a network that knows what this one has learned of the data."""
        local = self.local_class(**self._local_parameters() | parameters)
        local.__dict__.update({name: getattr(self, name) for name in LEARNED if hasattr(self, name)})
        local.__dict__.update(_multilabel=False, _sparse_labels=False)
        return local

    def _train(self, listeners: Listeners, rng: np.random.RandomState) -> None:
        crews: Any = self._crews
        try:
            self._run_epochs(crews.training, crews.validating, listeners, rng, True, False)
        except RuntimeError as error:
            error.add_note(f"The network is as it was after epoch {self.history_.epochs}.")
            raise
        listeners.fit_ended()

    def _epochs(self, data: Any, held_out: Any, rule: UpdateRule, rng: np.random.RandomState) -> Any:
        training = Training(
            self.network_.architecture, copy.copy(rule), self._cost(), self._outputs_in_mean(), self.alpha,
            AUTO_BATCH if isinstance(self.batch_size, str) else int(self.batch_size), bool(self.shuffle),
            self.matmul_precision, self.max_iter, int(rng.randint(np.iinfo(np.int32).max)),
        )  # fmt: skip
        moments = None if is_classifier(self) else self._crews.moments()
        self._rounds = Rounds(
            self.network_, self._crews, moments, training, rule,
            sync_every=int(self.sync_every), by_steps=self.sync_unit == "steps",
        )  # fmt: skip
        return self._rounds

    def _score(self, held_out: Any) -> Any:
        return self._rounds.score

    def _reason_to_stop(self, curves: Improvement, rule: UpdateRule) -> str | None:
        return super()._reason_to_stop(curves, rule) if self._rounds.averaged else None

    def _predicted(self, method: str, X: Any, width: int | None, dtype: Any) -> da.Array:
        model = self.to_local()
        check_features("X", X)
        if n_columns(X) != self.n_features_in_:
            raise ValueError(f"X must have {self.n_features_in_} columns, as in fit, got {n_columns(X)}")
        return predicted(model, method, X, width, dtype)

    def _scored(self, X: Any, y: Any, sample_weight: Any) -> list[Any]:
        """Return the sums over all rows: an `Evaluation` and `Moments`."""
        model, data = self.to_local(), checked(X, y, sample_weight)
        parts = [part for part in self.client_.gather(self.client_.compute(scored(model, data))) if part is not None]
        if not parts:
            raise ValueError("X must have at least one row, got none in all its partitions")
        total = list(parts[0])
        for part in parts[1:]:
            total = [own | other for own, other in zip(total, part, strict=True)]
        return total

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.no_validation = True  # of arrays: it takes dask collections
        return tags


def _held_out(X: Any, y: Any, validation: tuple[Any, Any, Any]) -> Partitions | None:
    X_val, y_val, sample_weight_val = validation
    if X_val is None:
        return None
    found = checked(X_val, y_val, sample_weight_val, "_val")
    for name, own, other in (("X", X, X_val), ("y", y, y_val)):
        columns, wanted = (1 if part.ndim == 1 else n_columns(part) for part in (other, own))
        if columns != wanted:
            raise ValueError(f"{name}_val must have the columns of {name}, which are {wanted}, got {columns}")
    return found
