"""Which rows are trained on, which are validated on, and what each weighs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from fastmlp.inputs import checks, samples
from fastmlp.inputs.identity import rows_described
from fastmlp.inputs.sparse import Matrix, plain
from fastmlp.losses import Loss
from fastmlp.mlp import MLP

CLASS_KERNELS = ("cross_entropy", "binary_cross_entropy")


class UserData(NamedTuple):
    """The data of a training as the user passed them, not yet checked; `fastmlp.train` describes them."""

    X: Any
    y: Any
    validation: Any
    sample_weight: Any
    class_weight: Any


@dataclass
class Dataset:
    """Rows of a data set; ``rows`` None means all of the arrays."""

    x: Matrix
    targets: np.ndarray
    weights: np.ndarray | None
    rows: np.ndarray | None = None

    @property
    def n(self) -> int:
        """How many."""
        return len(self.x) if self.rows is None else len(self.rows)

    @property
    def of_all(self) -> Any:
        """What picks these rows from the arrays: their indices, or a slice."""
        return slice(None) if self.rows is None else self.rows

    def order(self, positions: np.ndarray) -> np.ndarray:
        """Return the indices in the arrays of the rows at these positions."""
        return positions if self.rows is None else self.rows[positions]

    def described(self) -> dict[str, Any]:
        """Return by what a checkpoint knows the rows again: shapes, dtypes and digests of samples."""
        parts = {"X": self.x, "y": self.targets, "sample_weight": self.weights}
        return {"rows": self.n, **{name: rows_described(part) for name, part in parts.items()}}

    def picked(self) -> tuple[Any, np.ndarray]:
        """Return data and targets of these rows alone."""
        return plain(self.x[self.of_all]), self.targets[self.of_all]


class SharedData:
    """Data of many trainings: networks that ask the same of an array share one checked copy of it."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[Dataset, Any]] = {}

    def checked(self, net: MLP, loss: Loss, X: Any, y: Any, weights: Any, names: tuple[str, str, str]) -> Dataset:
        """Return the rows as `split` needs them, without a copy of what an earlier call has checked."""
        key = (id(X), id(y), id(weights), net.n_inputs, net.n_outputs, net.dtype, loss.kernel)
        if key not in self._known:
            self._known[key] = _checked(net, loss, X, y, weights, names), (X, y, weights)  # an id needs its object
        return replace(self._known[key][0])


@dataclass(frozen=True)
class Part:
    """What `train` takes as X for one of many networks; also for a single one, which shares its data with nobody.

    Attributes
    ----------
    shared : SharedData
        Of all networks.
    x : array-like or Matrix
        The whole data set.
    rows : numpy.ndarray or None
        Indices of the rows that the network may use; None means all.
    """

    shared: SharedData
    x: Any
    rows: np.ndarray | None = None

    def checked(self, net: MLP, loss: Loss, y: Any, sample_weight: Any) -> Dataset:
        """Return the rows that the network may use."""
        data = self.shared.checked(net, loss, self.x, y, sample_weight, ("X", "y", "sample_weight"))
        data.rows = self.rows
        if data.weights is not None and not data.weights[data.of_all].any():
            raise ValueError(f"sample_weight must be above 0 in one of the rows, got zeros in all {data.n} of them")
        return data


def split(net: MLP, loss: Loss, user_data: UserData, rng: np.random.Generator) -> tuple[Dataset, Dataset | None]:
    """Check arrays that `fastmlp.train` got; return the rows to train on and those to validate on."""
    X, y, validation, sample_weight, class_weight = user_data
    given = X if isinstance(X, Part) else Part(SharedData(), X)
    data = given.checked(net, loss, y, sample_weight)
    data.weights = with_class_weights(class_weight, loss, data, net.n_outputs)
    if validation is None:
        return data, None
    if isinstance(validation, (tuple, list)):
        return data, checked_validation(net, loss, validation, given.shared)
    n_held_out = checks.held_out(validation, data.n)
    rows = rng.permutation(data.n)
    training, held_out = (replace(data, rows=data.order(part)) for part in (rows[n_held_out:], rows[:n_held_out]))
    for name, part in (("train", training), ("validate", held_out)):
        if part.weights is not None and not part.weights[part.rows].any():
            raise ValueError(f"sample_weight must be above 0 in a row to {name} on, got zeros in all {part.n} of them")
    return training, held_out


def _checked(net: MLP, loss: Loss, X: Any, y: Any, weights: Any, names: tuple[str, str, str]) -> Dataset:
    x = samples.features(names[0], X, net.n_inputs, net.dtype)
    targets = samples.targets(names[1], y, loss.kernel, net.n_outputs, len(x), net.dtype, names[0])
    return Dataset(x, targets, samples.weights(names[2], weights, len(x), names[0]))


def with_class_weights(
    class_weight: Any,
    loss: Loss,
    data: Dataset,
    n_outputs: int,
    total: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> np.ndarray | None:
    """Return the weights of the rows times those of their classes, which are 0 and 1 for one logistic output.

    `total` returns the rows of each class in all processes of those in this one.
    """
    if class_weight is None:
        return data.weights
    _refuse_without_classes(loss, n_outputs)
    classes = data.targets if loss.kernel == "cross_entropy" else (data.targets[:, 0] > 0.5).astype(np.int64)
    factors = class_factors(class_weight, total(np.bincount(classes[data.of_all], minlength=max(n_outputs, 2))))
    weights: np.ndarray = factors[classes] if data.weights is None else factors[classes] * data.weights
    if data.n and not weights[data.of_all].any():
        raise ValueError(f"class_weight must leave a row with a weight above 0, got {class_weight!r}")
    return weights


def _refuse_without_classes(loss: Loss, n_outputs: int) -> None:
    if loss.kernel not in CLASS_KERNELS or (loss.kernel == "binary_cross_entropy" and n_outputs > 1):
        raise ValueError(f"class_weight needs one class for each row, got {loss} and {n_outputs} outputs")


def class_factors(class_weight: Any, counts: np.ndarray) -> np.ndarray:
    """Return the factor of the weights of each class's rows, float64.

    Parameters
    ----------
    class_weight : dict or "balanced"
        As for `fastmlp.train`.
    counts : numpy.ndarray
        How many rows each class has.

    Raises
    ------
    ValueError, TypeError
        It is something else, or holds a weight or an index that is none.
    """
    n_classes = len(counts)
    if isinstance(class_weight, str) and class_weight == "balanced":
        found: np.ndarray = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
        return found
    if not isinstance(class_weight, dict):
        raise ValueError(f"class_weight must be a dict, 'balanced' or None, got {class_weight!r}")
    factors = np.ones(n_classes)
    for index, weight in class_weight.items():
        checks.not_negative(f"class_weight[{index!r}]", weight)
        if isinstance(index, bool) or not isinstance(index, (int, np.integer)) or not 0 <= index < n_classes:
            raise ValueError(f"class_weight must have class indices 0 … {n_classes - 1} as keys, got {index!r}")
        factors[index] = weight
    return factors


def checked_validation(net: MLP, loss: Loss, validation: Any, shared: SharedData) -> Dataset:
    """Return the rows of ``(X_val, y_val)``, perhaps with weights behind, checked."""
    if len(validation) not in (2, 3):
        expected = "a fraction, a pair (X_val, y_val), a triple with sample_weight_val, or None"
        raise ValueError(f"validation must be {expected}, got {len(validation)} items")
    x_val, y_val, *rest = validation
    names = ("X_val", "y_val", "sample_weight_val")
    return shared.checked(net, loss, x_val, y_val, rest[0] if rest else None, names)
