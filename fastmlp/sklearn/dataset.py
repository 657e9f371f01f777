"""The training rows and the validation rows of an estimator."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from fastmlp.inputs.splitting import Dataset


@dataclass
class ScoredDataset(Dataset):
    """Rows of a data set, with the `y` with which a scorer compares the predictions."""

    y: Any = None


def is_given(X: Any, y: Any, sample_weight: Any) -> bool:
    """Whether there are validation rows; raise where only a part of them is there."""
    if X is None and y is None and sample_weight is None:
        return False
    if X is None or y is None:
        missing = "X_val" if X is None else "y_val"
        raise ValueError(f"validation data are X_val and y_val, sample_weight_val if wanted; {missing} is missing")
    return True


def hold_out(
    data: ScoredDataset, fraction: float, stratify: np.ndarray | None, score_weights: Any, rng: np.random.RandomState
) -> tuple[ScoredDataset, ScoredDataset]:
    """Return training and validation rows, split as in scikit-learn's MLPs. The latter have the `score_weights`."""
    rows, held_out = train_test_split(np.arange(data.n), random_state=rng, test_size=fraction, stratify=stratify)
    if len(held_out) < 2:
        raise ValueError(
            f"The validation set is too small: validation_fraction={fraction} of {data.n} rows is {len(held_out)}. "
            "Increase 'validation_fraction' or the size of your dataset."
        )
    weights = None if score_weights is None else score_weights[held_out]
    training = ScoredDataset(data.x, data.targets, data.weights, rows, data.y)
    return training, ScoredDataset(data.x[held_out], data.targets[held_out], weights, y=data.y[held_out])
