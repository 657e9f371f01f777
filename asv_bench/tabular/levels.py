"""Words as categories, for the models that take them so."""

from typing import Any, Self

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

MOST = 250  # HistGradientBoosting takes 255 levels at most
OTHER = "other"


class Categories(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Make each column of words one of categories: the `MOST` most frequent ones, and one for all others.

    A gap stays a gap, which LightGBM and HistGradientBoosting take as it is. A word that training did not have is one
    of the others.
    """

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Count the words."""
        words = X.select_dtypes(exclude="number").columns
        self.levels_ = {name: list(X[name].value_counts().index[:MOST]) for name in words}
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with categories in place of words."""
        return X.assign(**{name: self._column(X[name], levels) for name, levels in self.levels_.items()})

    def _column(self, words: pd.Series, levels: list[Any]) -> pd.Categorical:
        known = words.where(words.isin(levels) | words.isna(), OTHER)
        return pd.Categorical(known, categories=list(dict.fromkeys([*levels, OTHER])))
