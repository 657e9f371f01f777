"""What each column brings: how much worse the score is after the column's values were shuffled."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.inspection import permutation_importance

REPEATS = 5
MOST_ROWS = 2000  # that are predicted each time: a score of so many is exact to about 0.01


class Importance(NamedTuple):
    """How much a score falls.

    Attributes
    ----------
    column : str
        That was shuffled.
    mean, deviation : float
        Over the repeats.
    """

    column: str
    mean: float
    deviation: float


def importances(model: Any, X: Any, y: np.ndarray, *, seed: int) -> list[Importance]:
    """Return the permutation importance of every column by the score of the estimator (accuracy, R²), largest first.

    Breiman, "Random Forests" (2001), as `sklearn.inspection.permutation_importance` computes it.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : pandas.DataFrame (n, n_columns)
        Rows that it has not seen; the first 2,000 are used.
    y : numpy.ndarray (n,)
        Their target.
    seed : int
        For the shuffling.
    """
    found = permutation_importance(
        model, X.iloc[:MOST_ROWS], y[:MOST_ROWS], n_repeats=REPEATS, random_state=np.random.RandomState(seed)
    )
    rows = zip(X.columns, found.importances_mean.tolist(), found.importances_std.tolist(), strict=True)
    return sorted((Importance(*row) for row in rows), key=lambda one: -one.mean)
