"""The table of ``fastmlp train``: its features, its target, and which rows are held out."""

import argparse
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split

from fastmlp.cli import data
from fastmlp.cli.recipes import CLASSIFICATION
from fastmlp.cli.tabular.task import Target, target_of
from fastmlp.datasets import raw
from fastmlp.tables import frames


class Data(NamedTuple):
    """Rows to train on and to test on.

    Attributes
    ----------
    source : str
        The file.
    X : pandas.DataFrame (n, n_columns)
        Features.
    target : Target
        Of all rows.
    trained, tested : numpy.ndarray
        Indices of rows.
    """

    source: str
    X: Any
    target: Target
    trained: np.ndarray
    tested: np.ndarray

    @property
    def training(self) -> tuple[Any, np.ndarray]:
        """Features and target of the rows that are trained on."""
        return self.X.iloc[self.trained], self.target.y[self.trained]

    @property
    def test(self) -> tuple[Any, np.ndarray]:
        """Features and target of the rows that only the report sees."""
        return self.X.iloc[self.tested], self.target.y[self.tested]


def read(args: argparse.Namespace) -> Data:
    """Return the table that the arguments name.

    Raises
    ------
    ValueError, TypeError, OSError, ImportError
        It is none, or it cannot be trained on.
    """
    (source,) = args.data
    frame = raw.read_frame(Path(source))
    names = data.feature_names([*frame.columns], args.target, args.ignore, source)
    target = target_of(frames.read(frame[[args.target]]).columns[0], args.task)
    return Data(source, frame[names], target, *split(target, args.test, args.seed))


def split(target: Target, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on, and those for the test: a fraction, of classes with the same shares of each.

    Raises
    ------
    ValueError
        Fewer than two rows are left to train on, or only rows of one class.
    """
    n = len(target.y)
    n_tested = math.ceil(fraction * n)
    if n - n_tested < 2:
        raise ValueError(f"--test: {fraction} of {n} rows leaves {n - n_tested} to train on, expected at least 2")
    if not n_tested:
        return np.arange(n), np.arange(0)
    strata = None
    if target.task == CLASSIFICATION:
        counts = np.unique(target.y, return_counts=True)[1]
        strata = target.y if counts.min() > 1 and len(counts) <= min(n_tested, n - n_tested) else None
    trained, tested = train_test_split(np.arange(n), test_size=n_tested, stratify=strata, random_state=seed)
    if target.task == CLASSIFICATION and len(np.unique(target.y[trained])) < 2:
        raise ValueError(
            f"--test: the {len(trained)} rows that are left to train on are all of the class "
            f"{str(target.y[trained[0]])!r}, expected at least two classes"
        )
    return trained, tested
