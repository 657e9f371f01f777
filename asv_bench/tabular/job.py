"""The task of a model: a table, its folds, and the seed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold

from .catalog import TABLES

FOLDS_SEED = 0


@dataclass(frozen=True)
class Job:
    """What a model is fitted to.

    Attributes
    ----------
    table : str
        A key of `catalog.TABLES`.
    folds : int
        In how many parts the rows are cut. The parts are always the same.
    rows : int or None
        The table's rows at most.
    seed : int
        The random state of the model is this number plus that of the fold.
    threads : int
        Number of threads that the model may use.
    """

    table: str
    folds: int
    rows: int | None
    seed: int
    threads: int

    @property
    def classes(self) -> bool:
        """Whether the model is a classifier."""
        return TABLES[self.table].classes

    def data(self) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the features and the target."""
        return TABLES[self.table].data(self.rows)

    def splits(self, target: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the indices of the training rows and of the test rows of each fold."""
        kind = StratifiedKFold if self.classes else KFold
        yield from kind(self.folds, shuffle=True, random_state=FOLDS_SEED).split(target, target)
