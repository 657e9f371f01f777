"""What a worker makes of its partitions: one data set, looked through as an estimator looks through its own.

These functions run on the workers.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight

from fastmlp.dask.scores import Moments
from fastmlp.inputs import samples
from fastmlp.inputs.splitting import Dataset


class Block(NamedTuple):
    """The rows of a worker's partitions, in their order.

    Attributes
    ----------
    x : numpy.ndarray or scipy.sparse.csr_matrix (n, n_features) or None
        None without a row.
    y : numpy.ndarray (n,) or (n, n_outputs) or None
        As the user passed it.
    weights : numpy.ndarray (n,) or None
        Of the rows.
    """

    x: Any
    y: Any
    weights: np.ndarray | None


class Summary(NamedTuple):
    """What the client must know of a block.

    Attributes
    ----------
    rows : int
        How many.
    dtype : str
        Of its data.
    classes : numpy.ndarray or None
        In its targets, sorted; None where they are numbers.
    counts : numpy.ndarray or None
        Rows of each of them.
    lowest : float or None
        The smallest target, where they are numbers.
    """

    rows: int
    dtype: str
    classes: np.ndarray | None
    counts: np.ndarray | None
    lowest: float | None


def make_block(estimator: Any, numbers: Sequence[int], *partitions: Any) -> Block:
    """Check partitions as the estimator checks its data, and put them together.

    Parameters
    ----------
    estimator : fastmlp.sklearn.MLPClassifier or MLPRegressor
        With the number and the names of its features.
    numbers : sequence of int
        Of the partitions, for errors.
    *partitions : tuple
        X, y and perhaps the weights of each.

    Raises
    ------
    ValueError, TypeError
        A partition holds what the estimator refuses.
    """
    found = [_checked(estimator, number, *part) for number, part in zip(numbers, partitions, strict=True)]
    blocks = [block for block in found if block is not None]
    if not blocks:
        return Block(None, None, None)
    if len(blocks) == 1:
        return blocks[0]
    xs, ys, weights = zip(*blocks, strict=True)
    x = sparse.vstack(xs, format="csr") if any(map(sparse.issparse, xs)) else np.concatenate(xs)
    return Block(x, np.concatenate(ys), None if weights[0] is None else np.concatenate(weights))


def _checked(estimator: Any, number: int, X: Any, y: Any, weights: Any = None) -> Block | None:
    rows = X.shape[0]
    others = {"y": y} | ({} if weights is None else {"sample_weight": weights})
    for name, other in others.items():
        if len(other) != rows:
            raise ValueError(f"partition {number}: {name} must have the {rows} rows of X, got {len(other)}")
    if not rows:
        return None
    try:
        x, target = estimator._validated(X, flat(y), reset=False)
        weights = None if weights is None else _check_sample_weight(weights, x, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise type(error)(f"partition {number}: {error}") from error
    return Block(x, target, weights)


def flat(y: Any) -> np.ndarray:
    """Return targets as an array, those of a single column ``(n,)``."""
    array = np.asarray(y)
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def summarise(block: Block, classes: bool) -> Summary:
    """Return what the client must know of a block.

    Raises
    ------
    ValueError
        The targets are no classes, where those are expected.
    """
    if block.x is None:
        return Summary(0, "", None, None, None)
    rows, dtype = block.x.shape[0], str(block.x.dtype)
    if not classes:
        return Summary(rows, dtype, None, None, float(block.y.min()))
    check_classification_targets(block.y)
    kind = type_of_target(block.y, input_name="y")
    if block.y.ndim != 1:
        raise ValueError(f"y must hold one class for each row, got {kind} targets of shape {block.y.shape}")
    found, counts = np.unique(block.y, return_counts=True)
    return Summary(rows, dtype, found, counts, None)


def prepare(block: Block, estimator: Any, dtype: str, for_training: bool) -> Dataset:
    """Return a block as the engine takes it.

    Parameters
    ----------
    block : Block
        With rows.
    estimator : fastmlp.sklearn.MLPClassifier or MLPRegressor
        That knows the classes of all blocks.
    dtype : str
        Of the network.
    for_training : bool
        Whether its weights are those of the cost, with the weights of the classes in them.
    """
    kind = np.dtype(dtype)
    x = samples.matrix("X", block.x, estimator.n_features_in_)
    if x.dtype != kind:
        samples.finite("X", x, kind)
    weights = estimator._loss_weight(block.y, block.weights) if for_training else block.weights
    return Dataset(x, estimator._targets(block.y, kind), weights)


def target_moments(data: Dataset) -> Moments:
    """Return the count, mean and spread of the targets of a block."""
    return Moments.of(data.targets.reshape(len(data.targets), -1), data.weights)
