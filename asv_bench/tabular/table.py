"""A table: where it comes from, what is predicted, what is left out, and how predictions are judged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .measures import MEASURES

SAMPLE_SEED = 0


@dataclass(frozen=True)
class Table:
    """A real table with a target.

    Attributes
    ----------
    read : callable
        Returns the whole table as a frame.
    target : str
        The column that is predicted. Rows without it are left out.
    measure : str
        A key of `measures.MEASURES`; it says whether the target is a class or a number.
    without : mapping
        The columns that are left out, with the reason.
    """

    read: Callable[[], pd.DataFrame]
    target: str
    measure: str
    without: Mapping[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> bool:
        """Whether the target is a class."""
        return MEASURES[self.measure].classes

    def data(self, rows: int | None = None) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the features and the target, of at most `rows` rows, always the same ones."""
        frame = self.read()
        frame = frame[frame[self.target].notna()].reset_index(drop=True)
        if rows is not None and rows < len(frame):
            chosen = np.random.default_rng(SAMPLE_SEED).choice(len(frame), rows, replace=False)
            frame = frame.iloc[np.sort(chosen)].reset_index(drop=True)
        target = frame[self.target].to_numpy()
        return frame.drop(columns=[self.target, *self.without]), target if self.classes else target.astype(np.float64)
